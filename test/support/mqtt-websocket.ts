/**
 * MQTT over WebSocket, signed with Signature Version 4, as a web page connects to AWS IoT
 * (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws): on the WebSocket of Node and `mqtt-packet`,
 * since MQTT.js does not connect this way inside Jest.
 */
import { parser as createParser, generate, type IConnackPacket, type IConnectPacket, type Packet } from 'mqtt-packet';
import { type SigningCredentials, signedWebSocketUrl } from './websocket-url.ts';

export interface WebSocketOptions {
  /** `runtime.config.endpoint`, or `https://` and the host of DescribeEndpoint (`iot:Data-ATS`). */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: SigningCredentials;
  readonly clientId: string;
  /** 4 is MQTT 3.1.1, which is used unless 5 is asked for. */
  readonly version?: 4 | 5;
  /** The rest of CONNECT: `clean`, `keepalive` (seconds), `will`, `properties`. */
  readonly connect?: Partial<IConnectPacket>;
}

export interface WebSocketMessage {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
  readonly retain: boolean;
}

type Answer = 'accepted' | 'not-authorized' | 'closed';

export interface WebSocketClient {
  readonly connack: IConnackPacket;
  /** With QoS 1. MQTT 3.1.1 closes the connection when a publication is not allowed. */
  publish(topic: string, text: string, more?: { readonly retain?: boolean }): Promise<Answer>;
  /** With QoS 1. */
  subscribe(filter: string): Promise<Answer>;
  /** Resolves with PINGRESP; rejects when the connection ends first. */
  ping(): Promise<void>;
  /** Every message so far. */
  readonly messages: readonly WebSocketMessage[];
  /** The first message that fits, of those that are there or still come. Rejects when the connection ends first. */
  next(fits?: (message: WebSocketMessage) => boolean): Promise<WebSocketMessage>;
  /** DISCONNECT, and the end of the connection. */
  end(): Promise<void>;
  /** A Close frame alone, as a page sends it that is left. */
  leave(): Promise<void>;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

/** The WebSocket was refused, or the broker ended the connection or answered with a code instead of letting the client in. */
export class WebSocketRefused extends Error {
  override readonly name = 'WebSocketRefused';
  /** The reason code (MQTT 5) or return code (MQTT 3.1.1) of CONNACK; undefined without one. */
  readonly code: number | undefined;

  constructor(message: string, code?: number) {
    super(message);
    this.code = code;
  }
}

/** Connects; rejects with WebSocketRefused. */
export async function connectOverWebSocket(options: WebSocketOptions): Promise<WebSocketClient> {
  const version = options.version ?? 4;
  const socket = new WebSocket(signedWebSocketUrl(options), 'mqtt');
  socket.binaryType = 'arraybuffer';
  const parser = createParser({ protocolVersion: version });
  const listeners = new Set<(packet: Packet) => void>();
  const messages: WebSocketMessage[] = [];
  const send = (packet: Packet) => socket.send(new Uint8Array(generate(packet, { protocolVersion: version })));
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener('close', () => resolve());
  });
  parser.on('packet', (packet) => {
    if (packet.cmd === 'publish') {
      const { topic, payload, qos, retain, messageId } = packet;
      messages.push({ topic, text: payload.toString(), qos, retain });
      if (qos === 1 && messageId !== undefined) send({ cmd: 'puback', messageId });
    }
    for (const listener of [...listeners]) listener(packet);
  });
  socket.addEventListener('message', ({ data }) => parser.parse(Buffer.from(data as ArrayBuffer)));

  /** The next packet of a kind, about one message id if given; undefined when the connection ends before. */
  const answer = async <C extends Packet['cmd']>(cmd: C, id?: number) => {
    let listener: (packet: Packet) => void = () => {};
    const packet = new Promise<Extract<Packet, { cmd: C }>>((resolve) => {
      listener = (each) => {
        const isRight = each.cmd === cmd && (id === undefined || each.messageId === id);
        if (isRight) resolve(each as Extract<Packet, { cmd: C }>);
      };
      listeners.add(listener);
    });
    const first = await Promise.race([packet, closed.then(() => undefined)]);
    listeners.delete(listener);
    return first;
  };
  const reactionTo = (codes: readonly unknown[]): Answer =>
    codes.some((code) => Number(code) >= 0x80) ? 'not-authorized' : 'accepted';

  let lastId = 0;
  const newId = () => {
    lastId = (lastId % 0xffff) + 1;
    return lastId;
  };

  const isOpen = new Promise<true>((resolve) => {
    socket.addEventListener('open', () => resolve(true));
  });
  // A refused upgrade ends with 'error' and then 'close'; what the server said is not told to a page.
  if (!(await Promise.race([isOpen, closed.then(() => false)]))) throw new WebSocketRefused('no WebSocket');
  const connack = answer('connack');
  send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clientId: options.clientId,
    clean: true,
    keepalive: 60,
    ...options.connect,
  });
  const granted = await connack;
  if (!granted) throw new WebSocketRefused('closed before CONNACK');
  const code = (version === 5 ? granted.reasonCode : granted.returnCode) ?? 0;
  if (code !== 0) {
    socket.close();
    throw new WebSocketRefused(`CONNACK ${code}`, code);
  }
  return {
    connack: granted,
    messages,
    closed,
    async publish(topic, payload, { retain = false } = {}) {
      const messageId = newId();
      const done = answer('puback', messageId);
      send({ cmd: 'publish', topic, payload, qos: 1, retain, dup: false, messageId });
      const puback = await done;
      return puback ? reactionTo([puback.reasonCode ?? 0]) : 'closed';
    },
    async subscribe(topic) {
      const messageId = newId();
      const done = answer('suback', messageId);
      send({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos: 1 }] });
      const suback = await done;
      return suback ? reactionTo(suback.granted) : 'closed';
    },
    async ping() {
      const done = answer('pingresp');
      send({ cmd: 'pingreq' });
      if (!(await done)) throw new Error('the connection ended before PINGRESP');
    },
    async next(fits = () => true) {
      for (;;) {
        const found = messages.find(fits);
        if (found) return found;
        if (!(await answer('publish'))) throw new Error('the connection ended');
      }
    },
    async end() {
      if (socket.readyState === WebSocket.OPEN) send({ cmd: 'disconnect' });
      socket.close();
      await closed;
    },
    async leave() {
      socket.close();
      await closed;
    },
  };
}
