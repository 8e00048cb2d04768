/** The things table: one row per thing, to which several capabilities write, each its own members. */
import { THING_NAME } from './names.ts';

/** Key of a thing's row. */
export function thingKey(thing: string): { readonly pk: string; readonly sk: string } {
  return { pk: thing, sk: 'thing' };
}

/** `macdonald` of `macdonald-sensor123`; undefined when the name has no hyphen, or nothing before it. */
export function siteOf(thing: string): string | undefined {
  return THING_NAME.test(thing) ? /^([a-zA-Z0-9_]+)-/.exec(thing)?.[1] : undefined;
}

/** Sparse indexes of the things table: only rows that have both members are in them. Both hold keys only. */
export const THINGS_INDEXES = {
  /** Things whose silence is to be noticed, by shard (`dueShard`) and the time at which they are overdue (`dueAt`). */
  due: 'by-due',
  /** Things about which a notice is pending, by group (`noticeGroup`) and the time it may go out (`noticeDueAt`). */
  notices: 'by-notice',
} as const;

/** The sweep asks every shard; more shards are needed beyond about 1 000 writes a second. */
export const DUE_SHARDS = 8;

/** The shard of a thing, the same for ever. */
export function dueShardOf(thing: string): string {
  let hash = 0;
  for (let index = 0; index < thing.length; index += 1) hash = (Math.imul(hash, 31) + thing.charCodeAt(index)) | 0;
  return `due#${(hash >>> 0) % DUE_SHARDS}`;
}
