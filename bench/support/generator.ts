/**
 * The load generator: MQTT 3.1.1 devices over mutual TLS that publish telemetry with QoS 1. Packets are encoded once
 * and only their changing digits are written again; of the answers only the number counts. Anything more would make the
 * generator slower than the brokers it measures.
 */
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { generate } from 'mqtt-packet';
import type { Burst, Connected, Published, Task } from './load.ts';

const CONNACK_BYTES = 4;
const PUBACK_BYTES = 4;
/** Soon enough not to hide how fast registration is, not so soon that the attempts are most of the work. */
const RETRY_MS = 200;
/** A device that nobody accepts must not make the bench run for ever. */
const MAX_ATTEMPTS = 150;
const TICK_MS = 5;
const DIGITS = 16;

function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function writeDigits(buffer: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let index = at + digits - 1; index >= at; index -= 1) {
    buffer[index] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

class Device {
  readonly #socket: TLSSocket;
  readonly #packet: Buffer;
  readonly #packetIdAt: number;
  readonly #numberAt: number;
  readonly #timeAt: number;
  readonly #sentAt: number;
  readonly #onAcknowledged: (device: Device, count: number) => void;
  #partial = 0;
  #number = 0;
  inFlight = 0;

  constructor(socket: TLSSocket, thing: string, onAcknowledged: (device: Device, count: number) => void) {
    this.#socket = socket;
    this.#onAcknowledged = onAcknowledged;
    const zeros = '0'.repeat(DIGITS);
    const topic = `device/${thing}/sensor/temperature/v1`;
    const payload = `{"id":"${process.pid}-${zeros}","time":1000000000000,"value":21.5,"unit":"Cel","sentAt":"${zeros}"}`;
    this.#packet = generate({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId: 1 });
    const payloadAt = this.#packet.length - payload.length;
    this.#packetIdAt = payloadAt - 2;
    this.#numberAt = payloadAt + payload.indexOf(zeros);
    this.#timeAt = payloadAt + payload.indexOf('1000000000000');
    this.#sentAt = payloadAt + payload.lastIndexOf(zeros);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('close', () => fail(new Error(`${thing} was disconnected`)));
  }

  /** Sends so many messages in one write. */
  send(count: number): void {
    const sentAt = microseconds();
    const { length } = this.#packet;
    const packets = Buffer.allocUnsafe(length * count);
    writeDigits(this.#packet, this.#sentAt, DIGITS, sentAt);
    writeDigits(this.#packet, this.#timeAt, 13, Date.now());
    for (let index = 0; index < count; index += 1) {
      this.#number += 1;
      this.#packet.writeUInt16BE((this.#number % 65_535) + 1, this.#packetIdAt);
      writeDigits(this.#packet, this.#numberAt, DIGITS, this.#number);
      this.#packet.copy(packets, index * length);
    }
    this.inFlight += count;
    this.#socket.write(packets);
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#partial + chunk.length;
    const count = Math.floor(bytes / PUBACK_BYTES);
    this.#partial = bytes % PUBACK_BYTES;
    this.inFlight -= count;
    if (count > 0) this.#onAcknowledged(this, count);
  }
}

let acknowledged: (device: Device, count: number) => void = () => {};
const devices: Device[] = [];

function fail(error: Error): never {
  process.stderr.write(`load generator: ${error.message}\n`);
  process.exit(1);
}

/** Connects once; undefined when the broker has closed without accepting. */
function tryToConnect({ target }: Task, { thing, pem, keyPem }: Task['devices'][number]): Promise<Device | undefined> {
  const packet = generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: thing,
    keepalive: 1200,
  });
  return new Promise((resolve) => {
    const socket = connect({
      host: target.host,
      port: target.port,
      servername: 'localhost',
      secureContext: createSecureContext({ ca: target.trust, cert: pem, key: keyPem }),
    });
    socket.setNoDelay(true);
    const refused = (): void => resolve(undefined);
    socket.once('close', refused);
    socket.on('error', () => socket.destroy());
    socket.once('secureConnect', () => socket.write(packet));
    socket.once('data', (answer: Buffer) => {
      if (answer.length !== CONNACK_BYTES || answer[0] !== 0x20 || answer[3] !== 0) {
        socket.destroy();
        return;
      }
      socket.off('close', refused);
      resolve(new Device(socket, thing, (device, count) => acknowledged(device, count)));
    });
  });
}

async function connectAll(task: Task): Promise<Connected> {
  const waiting = [...task.devices];
  const startedAt = microseconds();
  let attempts = 0;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      for (let own = 1; ; own += 1) {
        attempts += 1;
        const device = await tryToConnect(task, next);
        if (device) {
          devices.push(device);
          break;
        }
        if (task.refused === 'fail' || own === MAX_ATTEMPTS) fail(new Error(`${next.thing} was refused`));
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  await Promise.all(Array.from({ length: task.connecting }, worker));
  return { seconds: (microseconds() - startedAt) / 1e6, attempts };
}

function publish({ messages, window, rate }: Burst): Promise<Published> {
  return new Promise((resolve) => {
    let unsent = messages;
    let open = messages;
    let turn = 0;
    const cpuBefore = process.cpuUsage();
    const firstAt = microseconds();
    const send = (device: Device, count: number): void => {
      const now = Math.min(count, unsent);
      if (now <= 0) return;
      unsent -= now;
      device.send(now);
    };
    const timer =
      rate === undefined
        ? undefined
        : setInterval(() => {
            const due = Math.floor(((microseconds() - firstAt) / 1e6) * rate);
            for (let missing = due - (messages - unsent); missing > 0; missing -= 1) {
              const device = devices[turn++ % devices.length];
              if (device && unsent > 0) send(device, 1);
            }
          }, TICK_MS);
    acknowledged = (device, count) => {
      open -= count;
      if (rate === undefined) send(device, window - device.inFlight);
      if (open > 0) return;
      clearInterval(timer);
      const { user, system } = process.cpuUsage(cpuBefore);
      resolve({ messages, seconds: (microseconds() - firstAt) / 1e6, firstAt, cpuSeconds: (user + system) / 1e6 });
    };
    if (rate === undefined) for (const device of devices) send(device, window);
  });
}

process.on('message', (message: Task | Burst) => {
  const answer = 'devices' in message ? connectAll(message) : publish(message);
  answer.then((result) => process.send?.(result), fail);
});
process.on('disconnect', () => process.exit(0));
process.send?.('started');
