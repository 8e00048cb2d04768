/** One MQTT connection as the agent sees it. The adapter over AWS's SDK is in sdk-session.ts. */
export interface Session {
  /** QoS 1. Never rejects. */
  publish(topic: string, payload: Buffer): Promise<PublishOutcome>;
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

export interface SessionEnd {
  /** The reason code of the server's DISCONNECT; absent when the connection just broke. */
  readonly reasonCode?: number;
  readonly reason: string;
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
