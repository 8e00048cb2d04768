import { BatchMessage, SingleReadingMessage } from '@thingstead/contracts/telemetry';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { StoredMessage } from './ports.ts';

/** A reading with its place in the order of a series. */
export interface PlacedReading {
  /** When the message begins, or when it was read, if that is later: what it is sorted by. */
  readonly order: number;
  /** Key and index: they decide where times are the same. */
  readonly sk: string;
  readonly index: number;
  readonly time: number;
  readonly value: number | boolean | string;
  readonly unit: string | undefined;
}

const Arrival = v.object({ receivedAt: v.number() });
const DATE_LENGTH = '2026-11-21T10:15:00.000Z'.length;

/** When the first reading of a message was taken, as its key says; NaN when it says nothing. */
export function timeOfKey(sk: string): number {
  return Date.parse(sk.slice(0, DATE_LENGTH));
}

/** The key at which messages of this time begin. The year 9999 is the last that a key has. */
export function keyOfTime(time: number): string {
  return new Date(Math.min(Math.max(time, 0), Date.UTC(9999, 11, 31))).toISOString();
}

/**
 * The readings of a message, under the device's own time, also when that is wrong: as they came. A message that is none (the
 * history keeps those too) has no readings.
 */
export function readingsOf(message: StoredMessage): {
  readonly receivedAt: number;
  readonly readings: readonly PlacedReading[];
} {
  const { sk } = message;
  const arrival = v.safeParse(Arrival, message);
  const begins = timeOfKey(sk);
  if (!arrival.success || Number.isNaN(begins)) return { receivedAt: 0, readings: [] };
  const { receivedAt } = arrival.output;
  const readings = contentOf(message).map(({ value, unit, time = receivedAt }, index) => {
    return { order: Math.max(begins, time), sk, index, time, value, unit };
  });
  return { receivedAt, readings };
}

/** What says that it is a batch is read as one, as the roll-ups do. */
function contentOf(message: StoredMessage): readonly v.InferOutput<typeof SingleReadingMessage>[] {
  if ('readings' in message) {
    const batch = validate(BatchMessage, message);
    return batch.ok ? batch.value.readings : [];
  }
  const single = validate(SingleReadingMessage, message);
  return single.ok ? [single.value] : [];
}
