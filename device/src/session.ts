/** One MQTT connection as the agent sees it. The adapter over AWS's SDK is in sdk-session.ts. */
export interface Session {
  /** New for every CONNECT, and named by the last will of this one. */
  readonly id: string;
  /** QoS 1. Never rejects. */
  publish(topic: string, payload: Buffer): Promise<PublishOutcome>;
  /** QoS 1, in one SUBSCRIBE, for this session only. AWS IoT takes 8 filters. Never rejects. */
  subscribe(filters: readonly string[]): Promise<SubscribeOutcome>;
  /** Hears all messages from now on; a message may come before its SUBACK, or twice. The listener must not throw. */
  onMessage(listener: (topic: string, payload: Buffer) => void): void;
  /** Settles when the connection is gone, whoever ended it. */
  readonly closed: Promise<SessionEnd>;
  /** Says goodbye (MQTT DISCONNECT) and waits until the connection is gone. */
  disconnect(): Promise<void>;
}

export type PublishOutcome =
  | { readonly kind: 'acknowledged' }
  /** PUBACK with an error: an MQTT 5 reason code of 0x80 or more. */
  | { readonly kind: 'refused'; readonly reasonCode: number; readonly reason: string }
  /** No PUBACK came: it may or may not have arrived. */
  | { readonly kind: 'unanswered'; readonly reason: string };

export type SubscribeOutcome =
  | { readonly kind: 'granted' }
  /** SUBACK with an error for one of the filters. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unanswered'; readonly reason: string };

export interface SessionEnd {
  /** The reason code of the server's DISCONNECT; absent when the connection just broke. */
  readonly reasonCode?: number;
  readonly reason: string;
}

/** DISCONNECT codes that blame a packet: malformed, protocol, not authorized, topic name, too large, payload, retain, QoS. */
const BLAMING_CODES: ReadonlySet<number> = new Set([0x81, 0x82, 0x87, 0x90, 0x95, 0x99, 0x9a, 0x9b]);

/** Whether the server has ended the connection because of something that was sent over it. */
export function blamesPacket({ reasonCode }: SessionEnd): boolean {
  return reasonCode !== undefined && BLAMING_CODES.has(reasonCode);
}

/**
 * Opens a connection. @throws ConnectionFailed.
 */
export type Connect = (signal: AbortSignal) => Promise<Session>;

/** Why there is no connection. */
export class ConnectionFailed extends Error {
  override readonly name = 'ConnectionFailed';
  /**
   * `closed-without-answer`: the endpoint took the connection and closed it before CONNACK. AWS IoT does so with every
   * certificate that is not active, or not yet.
   */
  readonly kind: 'closed-without-answer' | 'refused' | 'unreachable';

  constructor(kind: ConnectionFailed['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
