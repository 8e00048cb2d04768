/**
 * A device of a soak: publishes with QoS 1 over mutual TLS, comes back when its connection ends or is dead, and sends again
 * what was not acknowledged, under the same id.
 */
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { parser as createParser, generate, type Packet } from 'mqtt-packet';
import type { SentMessage, SentReading } from './ledger.ts';

const SENSOR = 'temperature';
const READINGS = 3;
/** Below the 100 in flight that AWS IoT allows per connection. */
const WINDOW = 20;
/** A message that is not acknowledged for so long was lost with its connection. */
const ANSWER_MS = 10_000;
/** TLS and CONNECT may take so long when a whole fleet comes at once. */
const CONNECT_MS = 30_000;
/** AWS IoT takes one CONNECT a second from a client. The pause doubles with each attempt that fails. */
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const CONNACK_ACCEPTED = 0;

export interface SoakDeviceOptions {
  readonly thing: string;
  readonly pem: string;
  readonly keyPem: string;
  readonly target: { readonly host: string; readonly port: number; readonly trust: string };
  /** Numbers from 0 up to 1, of this device alone. */
  readonly random: () => number;
}

export class SoakDevice {
  readonly sent: SentMessage[] = [];
  acknowledged = 0;
  repeated = 0;
  connections = 0;
  readonly #options: SoakDeviceOptions;
  readonly #session: string;
  readonly #context: SecureContext;
  /** Not acknowledged, oldest first. */
  readonly #open = new Set<SentMessage>();
  readonly #inFlight = new Map<number, { readonly message: SentMessage; readonly at: number }>();
  readonly #published = new WeakSet<SentMessage>();
  #waiting: SentMessage[] = [];
  #socket: TLSSocket | undefined;
  #isConnected = false;
  #startedAt = 0;
  #failures = 0;
  #packetId = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: SoakDeviceOptions) {
    const { target, pem, keyPem, random } = options;
    this.#options = options;
    this.#session = Math.floor(random() * 2 ** 32).toString(16);
    this.#context = createSecureContext({ ca: target.trust, cert: pem, key: keyPem });
  }

  /** True when everything that was sent is acknowledged. */
  get isDone(): boolean {
    return this.#open.size === 0;
  }

  connect(): void {
    const { thing, target } = this.#options;
    const { host, port } = target;
    this.connections += 1;
    this.#startedAt = performance.now();
    const socket = connect({ host, port, servername: 'localhost', secureContext: this.#context });
    const parser = createParser();
    parser.on('packet', (packet) => this.#receive(packet));
    parser.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    const hello = generate({ cmd: 'connect', clientId: thing, clean: true, keepalive: 60, protocolVersion: 4 });
    socket.once('secureConnect', () => socket.write(hello));
    socket.on('data', (chunk) => parser.parse(chunk));
    // 'close' follows.
    socket.on('error', () => {});
    socket.once('close', () => this.#comeBack());
    this.#socket = socket;
  }

  /** Makes a message of the newest readings and sends it as soon as it can. `now` is the device's clock, epoch milliseconds. */
  produce(now: number): void {
    const { thing, random } = this.#options;
    const readings = Array.from(
      { length: READINGS },
      (_, index): SentReading => ({
        time: now - (READINGS - 1 - index) * 10,
        value: Math.floor(random() * 80) / 2,
      }),
    );
    const message = { thing, sensor: SENSOR, id: `${this.#session}-${this.sent.length + 1}`, readings };
    this.sent.push(message);
    this.#open.add(message);
    this.#waiting.push(message);
    this.#pump();
  }

  /** To be called now and then: gives up a connection on which nothing comes back. */
  check(): void {
    const now = performance.now();
    const oldest = this.#inFlight.values().next().value?.at ?? now;
    const isDead = this.#isConnected ? now - oldest > ANSWER_MS : now - this.#startedAt > CONNECT_MS;
    if (isDead) this.#socket?.destroy();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    if (this.#isConnected) this.#socket?.end(generate({ cmd: 'disconnect' }));
    else this.#socket?.destroy();
  }

  #receive(packet: Packet): void {
    if (packet.cmd === 'connack') {
      if (packet.returnCode !== CONNACK_ACCEPTED) {
        this.#socket?.destroy();
        return;
      }
      this.#isConnected = true;
      this.#failures = 0;
      this.#waiting = [...this.#open];
      this.#pump();
    } else if (packet.cmd === 'puback') {
      const id = packet.messageId ?? 0;
      const found = this.#inFlight.get(id);
      if (!found) return;
      this.#inFlight.delete(id);
      this.#open.delete(found.message);
      this.acknowledged += 1;
      this.#pump();
    }
  }

  #pump(): void {
    if (!this.#isConnected) return;
    while (this.#inFlight.size < WINDOW) {
      const message = this.#waiting.shift();
      if (!message) return;
      this.#publish(message);
    }
  }

  #publish(message: SentMessage): void {
    const { thing, sensor, id, readings } = message;
    this.#packetId = (this.#packetId % 65_535) + 1;
    this.#inFlight.set(this.#packetId, { message, at: performance.now() });
    if (this.#published.has(message)) this.repeated += 1;
    this.#published.add(message);
    const topic = `device/${thing}/sensor/${sensor}/v1`;
    const payload = JSON.stringify({ id, readings });
    this.#socket?.write(
      generate({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId: this.#packetId }),
    );
  }

  #comeBack(): void {
    this.#socket = undefined;
    this.#isConnected = false;
    this.#inFlight.clear();
    if (this.#ended) return;
    const pause = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.connect(), pause * (1 + this.#options.random()));
  }
}
