import { type LatestItem, latestKey } from '@thingstead/contracts/telemetry-store';
import type { Message } from './message.ts';

/** The newest value of a sensor in a batch, and the records it comes from. */
export interface Newest {
  readonly item: LatestItem;
  readonly sequenceNumbers: readonly string[];
}

/** The newest value of each sensor. The same order decides in the store: time, then id of the message. */
export function newestOf(messages: readonly Message[]): readonly Newest[] {
  const sensors = Map.groupBy(messages, ({ thing, sensor }) => JSON.stringify([thing, sensor]));
  return [...sensors.values()].flatMap((ofSensor) => {
    const newest = ofSensor.map(latestItem).reduce<LatestItem | undefined>(newer, undefined);
    return newest ? [{ item: newest, sequenceNumbers: ofSensor.map(({ sequenceNumber }) => sequenceNumber) }] : [];
  });
}

/** True when `a` replaces `b`. */
export function isNewer(a: LatestItem, b: LatestItem): boolean {
  return a.time === b.time ? a.messageId > b.messageId : a.time > b.time;
}

function newer(a: LatestItem | undefined, b: LatestItem | undefined): LatestItem | undefined {
  return a && b ? (isNewer(b, a) ? b : a) : (a ?? b);
}

function latestItem({ thing, sensor, messageId, receivedAt, readings }: Message): LatestItem | undefined {
  // Of two readings with the same time the one that the device put later is the newer one.
  const last = readings.reduce((a, b) => (b.time >= a.time ? b : a));
  return { ...latestKey(thing, sensor), thing, sensor, messageId, receivedAt, ...last };
}
