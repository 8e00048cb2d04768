/** The things table: one row per thing, to which several capabilities write, each its own members. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';
import { DescribedThing } from './onboarding.ts';
import { PresenceState } from './presence.ts';

/** Key of a thing's row. */
export function thingKey(thing: string): { readonly pk: string; readonly sk: string } {
  return { pk: thing, sk: 'thing' };
}

/** What lists and the REST API read of a thing's row. It is there since the thing first connected or described itself. */
export const ThingRow = v.object({
  pk: v.string(),
  ...v.partial(v.omit(DescribedThing, ['thing', 'describedAt'])).entries,
  presence: v.optional(v.pick(PresenceState, ['connected', 'since'])),
  /** What people call it. */
  label: v.optional(v.string()),
  /** `visibleFrom` of the owner under whom it was named so; to a later owner the label is not shown. */
  labelledFor: v.optional(v.number()),
});
export type ThingRow = v.InferOutput<typeof ThingRow>;

/** `macdonald` of `macdonald-sensor123`; undefined when the name has no hyphen, or nothing before it. */
export function siteOf(thing: string): string | undefined {
  return THING_NAME.test(thing) ? /^([a-zA-Z0-9_]+)-/.exec(thing)?.[1] : undefined;
}

/** Sparse indexes of the things table: only rows that have both members are in them. They hold keys only. */
export const THINGS_INDEXES = {
  /** Things whose silence is to be noticed, by shard (`dueShard`) and the time at which they are overdue (`dueAt`). */
  due: 'by-due',
  /** Things about which a notice is pending, by group (`noticeGroup`) and the time it may go out (`noticeDueAt`). */
  notices: 'by-notice',
  /** All things by name: `fleetShard`, `pk`. */
  name: 'by-name',
  /** Things of a site by name: `site`, `pk`. */
  site: 'by-site',
  /** Things of a type by name: `typeShard`, `pk`. */
  type: 'by-type',
  /** Things with this firmware by name: `firmwareShard`, `pk`. */
  firmware: 'by-firmware',
  /** Things that are connected, and those that are not, by name: `connectedShard`, `pk`. */
  connected: 'by-connected',
} as const;

/** An index whose keys are few would take no more than one partition's 1 000 writes a second; its entries are spread. */
export const LIST_SHARDS = 8;

/** `thingstead-device#3`: the partition of a list in which a thing is. Whoever lists asks all of them, and merges by name. */
export function listShardOf(value: string, thing: string): string {
  return `${value}#${hashOf(thing) % LIST_SHARDS}`;
}

/** All partitions of a list. */
export function listShards(value: string): readonly string[] {
  return Array.from({ length: LIST_SHARDS }, (_, shard) => `${value}#${shard}`);
}

/** The value of `fleetShard` begins with it. */
export const WHOLE_FLEET = 'fleet';

/** The sweep asks every shard; more shards are needed beyond about 1 000 writes a second. */
export const DUE_SHARDS = 8;

/** The shard of a thing, the same for ever. */
export function dueShardOf(thing: string): string {
  return `due#${hashOf(thing) % DUE_SHARDS}`;
}

function hashOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash >>> 0;
}
