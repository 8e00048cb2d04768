import type { Reading } from '@thingstead/contracts/telemetry';

/** A batch of readings of one sensor, ready for the wire. It keeps its id and its bytes however often it is sent. */
export interface OutboxMessage {
  readonly id: string;
  readonly sensor: string;
  readonly readings: number;
  readonly payload: Buffer;
}

/**
 * Where readings wait until the cloud has acknowledged them. A message that was taken is in flight until one of
 * `acknowledge`, `putBack` and `setAside` is called for it.
 */
export interface Outbox {
  /** Readings that are waiting or in flight. */
  readonly size: number;
  /** Readings that were dropped because the outbox was full. */
  readonly dropped: number;
  /** Readings of messages that the cloud refused. */
  readonly setAsideReadings: number;
  put(sensor: string, reading: Reading): void;
  /** The message with the oldest reading; undefined when nothing waits. */
  take(): OutboxMessage | undefined;
  /** The cloud has it: it is forgotten here. */
  acknowledge(message: OutboxMessage): void;
  /** No answer came: it is sent again, as it is. */
  putBack(message: OutboxMessage): void;
  /** The cloud will never take it: it is counted and not sent again. */
  setAside(message: OutboxMessage): void;
  /** The agent ends. */
  close(): void;
}
