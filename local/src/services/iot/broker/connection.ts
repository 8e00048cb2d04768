/** One network connection: bytes to packets and back. What they mean is decided by the handlers. */
import type { Duplex } from 'node:stream';
import { parser as createParser, generate, type Packet } from 'mqtt-packet';
import type { Caller } from '../../../kernel/caller.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { Client } from './client.ts';
import { MAX_PACKET_BYTES } from './limits.ts';

interface Addresses {
  readonly sourceIp: string | undefined;
  readonly sourcePort: number | undefined;
  readonly targetIp: string | undefined;
  readonly targetPort: number | undefined;
}

/** Who is at the other end, before MQTT: the certificate of the TLS client, or the signer of a WebSocket upgrade. */
export type Peer = Addresses &
  (
    | { readonly kind: 'certificate'; readonly der: Buffer; readonly sni: string | undefined }
    | { readonly kind: 'iam'; readonly caller: Caller }
  );

/** A stream of bytes; `reset` ends it with an RST. */
export type NetworkStream = Duplex & { reset?(): void };

export interface ConnectionEvents {
  onPacket(packet: Packet): void;
  /** What came is no MQTT, or longer than any packet may be. */
  onMalformed(message: string): void;
  onClosed(): void;
}

/** How long a client that we have said goodbye to may take to close its side. */
const LINGER_MS = 1000;

/** PUBACK of MQTT 3.1.1 and, with reason code 0 left out, of MQTT 5. */
function puback(packetId: number): Buffer {
  return Buffer.of(0x40, 2, packetId >> 8, packetId & 0xff);
}

export class Connection {
  readonly peer: Peer;
  /** Set when its CONNECT is accepted. */
  client: Client | undefined;
  /** The MQTT level that the client speaks, once known. */
  version: 4 | 5 = 4;
  readonly #stream: NetworkStream;
  readonly #clock: Clock;
  #silent = false;
  #unsent: Buffer[] = [];
  #closed = false;

  constructor(stream: NetworkStream, peer: Peer, clock: Clock, events: ConnectionEvents) {
    this.#stream = stream;
    this.#clock = clock;
    this.peer = peer;
    const parser = createParser();
    parser.on('packet', (packet) => {
      if (!this.#closed) events.onPacket(packet);
    });
    parser.on('error', (error: Error) => {
      if (!this.#closed) events.onMalformed(error.message);
    });
    stream.on('data', (chunk: Buffer) => {
      if (this.#closed) return;
      let pending = 0;
      try {
        pending = parser.parse(chunk);
      } catch (error) {
        // The parser reads past the end of some broken packets.
        if (!(error instanceof RangeError)) throw error;
        events.onMalformed(error.message);
      }
      if (pending > MAX_PACKET_BYTES && !this.#closed) events.onMalformed('the packet is too long');
    });
    stream.on('error', () => stream.destroy());
    stream.on('close', () => {
      this.#closed = true;
      events.onClosed();
    });
  }

  /** Bytes that the client has not taken yet. */
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }

  send(packet: Packet): void {
    this.sendBytes(generate(packet, { protocolVersion: this.version }));
  }

  acknowledge(packetId: number): void {
    this.sendBytes(puback(packetId));
  }

  /** Sends a last packet, if given, and closes. */
  end(last?: Packet): void {
    if (this.#closed) return;
    if (last) this.send(last);
    this.#flush();
    this.#closed = true;
    this.#stream.end();
    // Destroying at once could throw away the last packet together with what the client is still sending.
    const linger = this.#clock.after(LINGER_MS, () => this.#stream.destroy());
    this.#stream.once('close', () => linger.cancel());
  }

  /** Closes without a word. */
  destroy(): void {
    this.#closed = true;
    if (!this.#silent) this.#stream.destroy();
  }

  /** Ends as a network does that fails: with an RST, where the network has one. */
  cut(): void {
    this.#closed = true;
    if (this.#stream.reset) this.#stream.reset();
    else this.#stream.destroy();
  }

  /** From now on nothing is read or written, and nothing closes: the other end sees a dead network. */
  silence(): void {
    this.#closed = true;
    this.#silent = true;
    this.#stream.pause();
  }

  /**
   * What is sent in one turn of the event loop leaves in one write, and the writes of all connections after all reads:
   * with many devices, a write after each read wakes the other side again and again.
   */
  sendBytes(bytes: Buffer): void {
    if (this.#closed) return;
    this.#unsent.push(bytes);
    if (this.#unsent.length === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const [first, ...more] = this.#unsent;
    this.#unsent = [];
    if (first && !this.#closed) this.#stream.write(more.length === 0 ? first : Buffer.concat([first, ...more]));
  }
}
