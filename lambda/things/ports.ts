import type { GrantRow } from '@thingstead/contracts/grants';
import type { HourItem, LatestItem } from '@thingstead/contracts/telemetry-store';
import type { THINGS_INDEXES, ThingRow } from '@thingstead/contracts/things';
import type { Grants } from '../authorization/access.ts';
import type { NameRange } from './name-range.ts';

/** One partition of an index of the things table, in which things are sorted by name. */
export interface List {
  readonly index: (typeof THINGS_INDEXES)['name' | 'site' | 'type' | 'firmware' | 'connected'];
  readonly partition: string;
}

/** Lists of names; what was written a moment ago may be missing in them. */
export interface ThingLists {
  /** The first names of a list in this range, in order. Fewer than `limit`: there are no more. */
  names(list: List, range: NameRange, limit: number): Promise<readonly string[]>;
  /** The rows of these things, by name; a thing without a row is left out. What was written a moment ago may be missing. */
  rows(things: readonly string[]): Promise<ReadonlyMap<string, ThingRow>>;
}

export interface ThingRows {
  /** By a consistent read. */
  row(thing: string): Promise<ThingRow | undefined>;
  /**
   * Names the thing under an owner (`labelledFor`: their `visibleFrom`); undefined takes the name away. Gives the row as it is
   * then; undefined when there is no such thing, or when somebody has named it under a later owner.
   */
  label(thing: string, label: string | undefined, labelledFor: number): Promise<ThingRow | undefined>;
}

/** Grants in the access table. */
export interface PersonGrants extends Grants {
  /** All of a person, in force or not. */
  all(person: string): Promise<readonly GrantRow[]>;
}

export interface Owners {
  /** Since when the thing, or its site, has its owner; undefined: it has none. Epoch milliseconds. */
  since(thing: string): Promise<number | undefined>;
}

/** A message in the history as it is stored, with its key. */
export interface StoredMessage {
  readonly sk: string;
  readonly [member: string]: unknown;
}

/** Sort keys: from inclusive, `to` exclusive. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

export interface StoredPage<Item> {
  readonly items: readonly Item[];
  /** The range that is left to read; undefined: nothing. */
  readonly rest: KeyRange | undefined;
}

/** What was measured. Each call is one query of at most 1 MB, in the order of the keys. */
export interface Readings {
  /** `batchesOnly` leaves out messages of one reading, which then count towards `limit` nevertheless. */
  messages(
    thing: string,
    sensor: string,
    range: KeyRange,
    options: { readonly limit?: number; readonly batchesOnly?: boolean },
  ): Promise<StoredPage<StoredMessage>>;
  hours(thing: string, sensor: string, range: KeyRange, limit: number): Promise<StoredPage<HourItem>>;
  /** Of all sensors of the thing. */
  latest(thing: string): Promise<readonly LatestItem[]>;
}

/** A classic shadow. */
export interface ShadowState {
  readonly desired?: Readonly<Record<string, unknown>>;
  readonly reported?: Readonly<Record<string, unknown>>;
  readonly delta?: Readonly<Record<string, unknown>>;
  readonly version: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

export type ShadowUpdate = 'done' | 'conflict' | 'too-large' | 'invalid' | 'no-such-thing';

export interface Shadows {
  /** Undefined when there is none. */
  read(thing: string): Promise<ShadowState | undefined>;
  /** Merges into `desired`, with `version` only over that version. */
  desire(thing: string, desired: Readonly<Record<string, unknown>>, version: number | undefined): Promise<ShadowUpdate>;
}

export interface Ports {
  readonly lists: ThingLists;
  readonly things: ThingRows;
  readonly grants: PersonGrants;
  readonly owners: Owners;
  readonly readings: Readings;
  readonly shadows: Shadows;
  /** Epoch milliseconds. */
  now(): number;
}
