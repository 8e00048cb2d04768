import { hourOf, type RateItem, rateKey } from '@thingstead/contracts/telemetry-store';
import { isAfter } from './sequence-number.ts';

/** Long enough to look at what happened the day before. */
const RETENTION_SECONDS = 2 * 86_400;
const HOUR_SECONDS = 3600;

/** That a thing sent a message, whatever is in it: every message costs, and one that reaches over many hours costs more. */
export interface Arrival {
  readonly thing: string;
  readonly receivedAt: number;
  readonly shardId: string;
  readonly sequenceNumber: string;
  /** In how many hours its readings are: each is an item that is read and written. 1 when left out. */
  readonly hours?: number;
}

/** What a batch has for one rate item, in the order of the stream. */
export interface RateGroup {
  readonly thing: string;
  readonly hour: string;
  readonly arrivals: readonly Arrival[];
}

/** Sorts messages by thing and hour of arrival. */
export function groupByRate(arrivals: readonly Arrival[]): readonly RateGroup[] {
  const groups = Map.groupBy(arrivals, ({ thing, receivedAt }) => JSON.stringify([thing, hourOf(receivedAt)]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ thing: first.thing, hour: hourOf(first.receivedAt), arrivals: group }] : [];
  });
}

/** The rate item with these messages added, each once; undefined when all of them are counted already. */
export function addToRate(item: RateItem | undefined, { thing, hour, arrivals }: RateGroup): RateItem | undefined {
  const shards = new Map(Object.entries(item?.shards ?? {}));
  const fresh = arrivals.filter(({ shardId, sequenceNumber }) => {
    const counted = shards.get(shardId);
    if (counted !== undefined && !isAfter(sequenceNumber, counted)) return false;
    shards.set(shardId, sequenceNumber);
    return true;
  });
  if (fresh.length === 0) return undefined;
  return {
    ...rateKey(thing, hour),
    thing,
    messages: fresh.reduce((sum, { hours = 1 }) => sum + hours, item?.messages ?? 0),
    shards: Object.fromEntries(shards),
    reported: item?.reported ?? false,
    version: (item?.version ?? 0) + 1,
    expiresAt: Date.parse(`${hour}:00:00Z`) / 1000 + HOUR_SECONDS + RETENTION_SECONDS,
  };
}
