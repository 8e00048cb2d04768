/** The firmware table, as far as rollouts go: the rollout, its devices, its counts and its decisions; and what each device is offered. */
import * as v from 'valibot';
import { AttemptId, FirmwareVersion, Product, UPDATE_FAILURES, UPDATE_STATES } from './firmware.ts';
import { PersonId, ThingName } from './grants.ts';
import {
  ROLLOUT_DEVICE_STATES,
  ROLLOUT_STATES,
  type RolloutDeviceState,
  RolloutId,
  RolloutSettings,
} from './rollouts.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const EpochSeconds = EpochMilliseconds;
const Natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** How long it can be read what became of each device. */
export const ROLLOUT_DEVICE_RETENTION_SECONDS = 400 * 86_400;

interface Key {
  readonly pk: string;
  readonly sk: string;
}

export function rolloutKey(id: string): Key {
  return { pk: `rollout#${id}`, sk: 'rollout' };
}

/** All rollouts, newest last: each has an item here that says no more than that it is there. */
export const ROLLOUTS_PARTITION = 'rollouts';

export function rolloutListKey(id: string): Key {
  return { pk: ROLLOUTS_PARTITION, sk: id };
}

export const ROLLOUT_DEVICE_PREFIX = 'device#';

export function rolloutDeviceKey(rollout: string, order: string, thing: string): Key {
  return { pk: `rollout#${rollout}`, sk: `${ROLLOUT_DEVICE_PREFIX}${order}#${thing}` };
}

export const ROLLOUT_EVENT_PREFIX = 'event#';

export function rolloutEventKey(id: string, number: number): Key {
  return { pk: `rollout#${id}`, sk: `${ROLLOUT_EVENT_PREFIX}${String(number).padStart(8, '0')}` };
}

export const ROLLOUT_COUNTERS_PREFIX = 'counters#';
/** Devices that change state at the same time count in different items. */
export const ROLLOUT_COUNTER_SHARDS = 16;

export function rolloutCountersKey(id: string, shard: number): Key {
  return { pk: `rollout#${id}`, sk: `${ROLLOUT_COUNTERS_PREFIX}${String(shard).padStart(2, '0')}` };
}

/** The member in which devices of this wave and state are counted: `0#SUCCEEDED`; `PENDING` for those of no wave. */
export function counterName(state: RolloutDeviceState, wave: number | undefined): string {
  return wave === undefined ? state : `${wave}#${state}`;
}

/** What one release says that rollouts go by. */
const RolloutRelease = v.object({
  product: Product,
  version: FirmwareVersion,
  counter: Natural,
  minimumCounter: Natural,
  hardwareRevisions: v.array(v.string()),
  size: Natural,
  /** Later than this no device begins it. */
  expiresAt: EpochMilliseconds,
});
export type RolloutRelease = v.InferOutput<typeof RolloutRelease>;

/** Why a rollout is paused. */
export const PAUSE_REASONS = ['operator', 'wave', 'expired'] as const;

/** `listed.list` when all that is to be listed is. */
export const ALL_LISTED = 1_000;

export const RolloutRow = v.object({
  id: RolloutId,
  release: RolloutRelease,
  settings: RolloutSettings,
  state: v.picklist(ROLLOUT_STATES),
  /** Of its state, in words. */
  reason: v.optional(v.string()),
  pausedFor: v.optional(v.picklist(PAUSE_REASONS)),
  /** When somebody resumed it last. */
  resumedAt: v.optional(EpochMilliseconds),
  createdAt: EpochMilliseconds,
  createdBy: PersonId,
  changedAt: EpochMilliseconds,
  /** Nothing comes of it any more. */
  endedAt: v.optional(EpochMilliseconds),
  /** While EXPANDING: the list that is read and the name up to which it was. */
  listed: v.object({ list: Natural, name: v.string() }),
  wave: Natural,
  /** Devices up to this key (`order#thing`) were started, or passed over. */
  cursor: v.string(),
  /** How many of them were started. */
  started: Natural,
  /** Starts that the rate had left at that time. */
  allowance: v.object({ starts: v.number(), at: EpochMilliseconds }),
  /** Set while devices that have failed are given another attempt: those up to this key were. */
  retriedTo: v.optional(v.string()),
  /** Grows with every write; writers that lose a race start again. */
  revision: Natural,
  /** Which tick comes next: ticks before it are copies. */
  tick: Natural,
  /** When that is due. */
  nextTickAt: EpochMilliseconds,
  /** Decisions so far. */
  events: Natural,
});
export type RolloutRow = v.InferOutput<typeof RolloutRow>;

export const RolloutDeviceRow = v.object({
  rollout: RolloutId,
  thing: ThingName,
  /** Where it stands among all: waves are ranges of it. */
  order: v.string(),
  state: v.picklist(ROLLOUT_DEVICE_STATES),
  /** Grows with every write; writers that lose a race start again. */
  revision: Natural,
  /** From its start on. */
  wave: v.optional(Natural),
  /** The last one. */
  attempt: v.optional(AttemptId),
  attempts: Natural,
  changedAt: EpochMilliseconds,
  startedAt: v.optional(EpochMilliseconds),
  committedAt: v.optional(EpochMilliseconds),
  /** How often it had connected, as the broker counts, when it committed. */
  connections: v.optional(Natural),
  /** What it said last. */
  said: v.optional(v.picklist(UPDATE_STATES)),
  bytes: v.optional(Natural),
  failure: v.optional(v.picklist(UPDATE_FAILURES)),
  reason: v.optional(v.string()),
  /** What it said after its end; that changes its state no more. */
  late: v.optional(v.picklist(UPDATE_STATES)),
  /** What it is to be told was not written into its shadow yet, as far as one knows. */
  untold: v.optional(v.literal(true)),
  /** It was told to stop. */
  cancelled: v.optional(v.literal(true)),
  /** `dueShardOf`, while something is due at `dueAt`. */
  dueShard: v.optional(v.string()),
  dueAt: v.optional(EpochMilliseconds),
  expiresAt: EpochSeconds,
});
export type RolloutDeviceRow = v.InferOutput<typeof RolloutDeviceRow>;

/** The partition of the index `by-due` of a rollout's devices; when it was aborted, of those that were told so. */
export function rolloutDueShard(rollout: string, told = false): string {
  return told ? `${rollout}#told` : rollout;
}

/** A decision, with what it went by. */
export const RolloutEvent = v.object({
  number: Natural,
  at: EpochMilliseconds,
  kind: v.picklist(['created', 'started', 'wave', 'paused', 'resumed', 'aborted', 'retried', 'completed', 'ended']),
  wave: v.optional(Natural),
  text: v.string(),
  /** Who, when a person did. */
  by: v.optional(PersonId),
  numbers: v.optional(v.record(v.string(), v.number())),
});
export type RolloutEvent = v.InferOutput<typeof RolloutEvent>;

/** On the queue of rollouts: look at this one. */
export const RolloutTick = v.object({
  rollout: RolloutId,
  tick: Natural,
  /** When it was sent: a rollout that is about to be stored may still come. */
  at: EpochMilliseconds,
});
export type RolloutTick = v.InferOutput<typeof RolloutTick>;

export function firmwareDeviceKey(thing: string): Key {
  return { pk: `device#${thing}`, sk: 'firmware' };
}

/**
 * What a device is offered now. INVARIANT: there is one attempt at a time, so a device is never in two rollouts. OFFERED: the
 * attempt is in force, and nobody else may offer anything. UNREACHED: in force until somebody offers something else. ENDED: it is
 * over, whatever came of it.
 */
export const OFFER_STATES = ['OFFERED', 'UNREACHED', 'ENDED'] as const;
export type OfferState = (typeof OFFER_STATES)[number];

export const FirmwareDeviceRow = v.object({
  /** As the device last said on `running`; written by what takes that. */
  running: v.optional(
    v.object({
      product: v.optional(Product),
      hardwareRevision: v.optional(v.string()),
      version: FirmwareVersion,
      counter: Natural,
      trustVersion: v.optional(Natural),
      at: EpochMilliseconds,
    }),
  ),
  /** All members below come together, with the first offer. */
  state: v.optional(v.picklist(OFFER_STATES)),
  attempt: v.optional(AttemptId),
  /** Undefined: the device joined late and gets what is current. */
  rollout: v.optional(RolloutId),
  order: v.optional(v.string()),
  product: v.optional(Product),
  version: v.optional(FirmwareVersion),
  counter: v.optional(Natural),
  size: v.optional(Natural),
  offeredAt: v.optional(EpochMilliseconds),
  /** Of an offer without a rollout: what the device said last, and why it has failed. */
  said: v.optional(v.picklist(UPDATE_STATES)),
  failure: v.optional(v.picklist(UPDATE_FAILURES)),
  reason: v.optional(v.string()),
});
export type FirmwareDeviceRow = v.InferOutput<typeof FirmwareDeviceRow>;
