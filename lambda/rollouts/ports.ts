import type { DesiredFirmware } from '@thingstead/contracts/firmware';
import type {
  FirmwareDeviceRow,
  RolloutDeviceRow,
  RolloutEvent,
  RolloutRelease,
  RolloutRow,
  RolloutTick,
} from '@thingstead/contracts/rollout-store';
import type { RolloutDeviceState } from '@thingstead/contracts/rollouts';
import type { ThingLists } from '../things/ports.ts';

/** How many devices are where, by `counterName`. */
export type Counts = Readonly<Record<string, number>>;

/** Rollouts in the firmware table. All reads are consistent. */
export interface Rollouts {
  read(id: string): Promise<RolloutRow | undefined>;
  /** False when there is one with this id. */
  create(row: RolloutRow, event: RolloutEvent): Promise<boolean>;
  /** Writes it, with a decision, unless its revision is another by now: then false. */
  advance(was: RolloutRow, next: RolloutRow, event?: RolloutEvent): Promise<boolean>;
  /** Writes it with devices of it, at most MAX_EXPANDED, counted: all or nothing. False when its revision is another. */
  expand(was: RolloutRow, next: RolloutRow, devices: readonly RolloutDeviceRow[]): Promise<boolean>;
  counts(id: string): Promise<Counts>;
}

/** What a write does to what the device is offered. `take`: it is free, and runs an older release, or the write is refused. */
export type OfferChange =
  | { readonly take: RolloutRelease; readonly previous: string | undefined; readonly abandonedBefore: number }
  | { readonly state: 'OFFERED' | 'UNREACHED' | 'ENDED' };

/** `raced`: the row is another by now. `held`: the offer is not to be had. */
export type Written = 'written' | 'raced' | 'held';

/** The devices of rollouts. Reads are consistent, but for `due`, which may lag. */
export interface RolloutDevices {
  find(rollout: string, order: string, thing: string): Promise<RolloutDeviceRow | undefined>;
  /** Those that are to be started, in their order, beyond this key (`order#thing`). */
  page(rollout: string, after: string, limit: number): Promise<readonly RolloutDeviceRow[]>;
  /** Of this partition of the index, what is due until then, earliest first. */
  due(shard: string, until: number, limit: number): Promise<readonly RolloutDeviceRow[]>;
  /** When the first one is due. */
  nextDueAt(shard: string): Promise<number | undefined>;
  /** Writes a device's row and, when it changes its state, moves it in the counts; all or nothing. */
  write(was: RolloutDeviceRow, next: RolloutDeviceRow, offer?: OfferChange): Promise<Written>;
}

/** A release that a device gets which is in no rollout. */
export interface LateOffer {
  readonly thing: string;
  readonly attempt: string;
  readonly release: Pick<RolloutRelease, 'product' | 'version' | 'counter' | 'size'>;
  readonly at: number;
}

/** Rollouts, to be shown. */
export interface RolloutLists {
  /** Those with ids below `before`, the newest first. */
  list(before: string | undefined, limit: number): Promise<readonly RolloutRow[]>;
  /** All decisions, the first one first. */
  events(id: string): Promise<readonly RolloutEvent[]>;
}

/** Devices of a rollout, to be shown. */
export interface RolloutDeviceLists {
  /** In their order, beyond `after` (`order#thing`); `limit` are examined. `next`: where there may be more. */
  list(
    rollout: string,
    page: { readonly after: string; readonly limit: number; readonly state: string | undefined },
  ): Promise<{ readonly rows: readonly RolloutDeviceRow[]; readonly next: string | undefined }>;
}

/** What each device is offered. Reads are consistent. */
export interface Offers {
  read(thing: string): Promise<FirmwareDeviceRow | undefined>;
  readAll(things: readonly string[]): Promise<ReadonlyMap<string, FirmwareDeviceRow>>;
  /** False when it is offered something already. */
  offerLate(offer: LateOffer, abandonedBefore: number): Promise<boolean>;
  /** What a device said of an offer without a rollout. False when it is offered something else by now. */
  recordLate(
    thing: string,
    attempt: string,
    said: Pick<FirmwareDeviceRow, 'said' | 'failure' | 'reason'> & { readonly ended: boolean },
  ): Promise<boolean>;
}

/** Named shadows `firmware`. */
export interface FirmwareShadows {
  /** Merges into `desired`. False when AWS IoT refuses it for this thing, for good. */
  desire(thing: string, desired: DesiredFirmware): Promise<boolean>;
}

export interface Presence {
  readonly connected: boolean;
  readonly since: number;
  /** How often it has connected, as the broker counts: from 0 again after a long absence. */
  readonly connections: number | undefined;
}

/** What presence has written; it may be seconds late. */
export interface Presences {
  /** Undefined when it was never heard of. */
  find(thing: string): Promise<Presence | undefined>;
}

/** Roll-ups of a sensor. */
export interface Errors {
  /** Count and mean of what was measured in [from, to), to the minute; epoch milliseconds. */
  between(
    thing: string,
    sensor: string,
    from: number,
    to: number,
  ): Promise<{ readonly count: number; readonly mean: number }>;
}

export interface Releases {
  find(product: string, counter: number): Promise<(RolloutRelease & { readonly state: string }) | undefined>;
  /** Devices of the product get it from now on, unless they get a later one. */
  makeCurrent(product: string, counter: number, rollout: string, at: number): Promise<void>;
}

/** The queue of rollouts. */
export interface Ticks {
  /** `delaySeconds`: 0 to 900, a limit of SQS. */
  send(tick: RolloutTick, delaySeconds: number): Promise<void>;
}

/** Tells the operator what happened. */
export interface Reports {
  decided(rollout: string, event: RolloutEvent): void;
  changed(device: Pick<RolloutDeviceRow, 'rollout' | 'thing' | 'attempt'>, state: RolloutDeviceState): void;
  /** A device said something that cannot be. */
  refused(status: { readonly thing: string; readonly attempt: string; readonly reason: string }): void;
  /** A device said something else after its end. */
  late(device: Pick<RolloutDeviceRow, 'rollout' | 'thing' | 'state'>, said: string): void;
  /** A message could not be processed and comes again. */
  failed(what: string, error: unknown): void;
}

/** What it takes to take what devices say. */
export interface StatusPorts {
  readonly rollouts: Pick<Rollouts, 'read'>;
  readonly devices: Pick<RolloutDevices, 'find' | 'write'>;
  readonly offers: Pick<Offers, 'read' | 'recordLate'>;
  readonly releases: Pick<Releases, 'find'>;
  readonly presences: Presences;
  readonly ticks: Ticks;
  readonly reports: Pick<Reports, 'changed' | 'refused' | 'late'>;
  /** Epoch milliseconds. */
  now(): number;
}

/** What it takes to find whom a rollout is for. */
export interface CandidatePorts {
  readonly lists: ThingLists;
  readonly offers: Pick<Offers, 'readAll'>;
}

/** All that ticks need. */
export interface TickPorts extends CandidatePorts {
  readonly offers: Pick<Offers, 'read' | 'readAll'>;
  readonly rollouts: Rollouts;
  readonly devices: RolloutDevices;
  readonly shadows: FirmwareShadows;
  readonly presences: Presences;
  readonly errors: Errors;
  readonly releases: Releases;
  readonly ticks: Ticks;
  readonly reports: Reports;
  /** A new ULID. */
  newId(now: number): string;
  /** Epoch milliseconds. */
  now(): number;
}
