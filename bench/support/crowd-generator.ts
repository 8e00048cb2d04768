/**
 * The generator of crowds: MQTT 3.1.1 devices over mutual TLS that connect, subscribe, stay, lose their connections all
 * at once and return. Each device has a source address in 127.0.0.0/8, so that the ports of one address are enough.
 * Every connection is a full handshake: no TLS session is offered for resumption.
 */
import type { TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { parser as createParser, generate, type Packet } from 'mqtt-packet';
import type { Crowd, CrowdAnswer, CrowdOrder } from './crowd.ts';

const DEVICES_PER_ADDRESS = 5000;
const KEEP_ALIVE_SECONDS = 1200;
const PING = generate({ cmd: 'pingreq' });

class Member {
  readonly #crowd: Crowd;
  readonly #thing: string;
  readonly #context: SecureContext;
  readonly #localAddress: string;
  readonly #onMessage: (topic: string) => void;
  #socket: TLSSocket | undefined;
  #accepted = false;

  constructor(crowd: Crowd, index: number, onMessage: (topic: string) => void) {
    const { thing, pem, keyPem } = crowd.devices[index] ?? fail(new Error(`there is no device ${index}`));
    this.#crowd = crowd;
    this.#thing = thing;
    this.#onMessage = onMessage;
    this.#localAddress = `127.0.0.${2 + Math.floor(index / DEVICES_PER_ADDRESS)}`;
    // Made before anything is measured.
    this.#context = createSecureContext({ ca: crowd.target.trust, cert: pem, key: keyPem });
  }

  /** Connects until CONNACK or, with a subscription, until SUBACK. */
  connect(): Promise<void> {
    const { target, topic } = this.#crowd;
    return new Promise((resolve, reject) => {
      const options: ConnectionOptions & TcpNetConnectOpts = {
        host: target.host,
        port: target.port,
        servername: 'localhost',
        localAddress: this.#localAddress,
        secureContext: this.#context,
      };
      const socket = connect(options);
      this.#socket = socket;
      const parser = createParser();
      const send = (packet: Packet): void => void socket.write(generate(packet));
      socket.once('secureConnect', () => {
        if (socket.isSessionReused()) fail(new Error('the handshake was not a full one'));
        send({
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 4,
          clean: true,
          clientId: this.#thing,
          keepalive: KEEP_ALIVE_SECONDS,
        });
      });
      parser.on('packet', (packet) => {
        if (packet.cmd === 'connack') this.#accepted = packet.returnCode === 0;
        if (packet.cmd === 'connack' && packet.returnCode !== 0) reject(new Error(`CONNACK ${packet.returnCode}`));
        else if (packet.cmd === 'connack' && topic === undefined) resolve();
        else if (packet.cmd === 'connack')
          send({
            cmd: 'subscribe',
            messageId: 1,
            subscriptions: [{ topic: topicOf(topic ?? '', this.#thing), qos: 0 }],
          });
        else if (packet.cmd === 'suback' && packet.granted[0] === 0) resolve();
        else if (packet.cmd === 'publish') this.#onMessage(packet.topic);
        else if (packet.cmd !== 'pingresp') reject(new Error(`unexpected ${packet.cmd}`));
      });
      socket.setNoDelay(true);
      socket.on('data', (chunk: Buffer) => parser.parse(chunk));
      socket.once('error', (error) => reject(new Error(`${this.#thing}: ${error.message}`)));
      // Only the crowd itself ends connections; any other end makes the figure worthless.
      socket.once('close', () => {
        if (this.#socket === socket) fail(new Error(`${this.#thing} was disconnected`));
      });
    });
  }

  get connected(): boolean {
    return this.#accepted && this.#socket?.readyState === 'open';
  }

  ping(): void {
    if (this.connected) this.#socket?.write(PING);
  }

  lose(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#accepted = false;
    socket?.destroy();
  }
}

let members: Member[] = [];
const received = new Set<string>();
let messages = 0;

function topicOf(pattern: string, thing: string): string {
  return pattern.replace('{thing}', thing);
}

function fail(error: Error): never {
  process.stderr.write(`crowd: ${error.message}\n`);
  process.exit(1);
}

/** Connects members in order, so many at a time; seconds from the first attempt to the last acceptance. */
async function connectUpTo(from: number, to: number, atOnce: number): Promise<number> {
  const startedAt = performance.now();
  let next = from;
  const worker = async (): Promise<void> => {
    for (let member = members[next++]; member && next <= to; member = members[next++]) await member.connect();
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, to - from) }, worker));
  return (performance.now() - startedAt) / 1000;
}

async function obey(order: CrowdOrder): Promise<CrowdAnswer> {
  let seconds = 0;
  if (order.do === 'gather') {
    members = order.crowd.devices.map(
      (_, index) =>
        new Member(order.crowd, index, (topic) => {
          messages += 1;
          received.add(topic);
        }),
    );
  }
  if (order.do === 'connect') seconds = await connectUpTo(order.from, order.to, order.atOnce);
  if (order.do === 'lose' || order.do === 'return') for (const member of members) member.lose();
  if (order.do === 'return') {
    seconds = await connectUpTo(0, members.length, members.length);
  }
  return {
    seconds,
    connected: members.filter((member) => member.connected).length,
    reached: received.size,
    messages,
  };
}

process.on('message', (order: CrowdOrder) => {
  obey(order).then((answer) => process.send?.(answer), fail);
});
// On a slow machine the last one connects long after the first one.
setInterval(() => {
  for (const member of members) member.ping();
}, KEEP_ALIVE_SECONDS * 500);
process.on('disconnect', () => process.exit(0));
process.send?.('started');
