/** The commands table: each command and what became of it, and the keys under which it was given. */
import * as v from 'valibot';
import { COMMAND_STATES, CommandId, CommandName, type CommandState } from './commands.ts';
import { PersonId, ThingName } from './grants.ts';
import { ULID_RANDOM_BYTES, ulidOf } from './ulid.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const EpochSeconds = EpochMilliseconds;
/** JSON as text: DynamoDB's numbers and nesting are not those of JSON. */
const JsonText = v.string();

/** How long a command and its end can be read. */
export const COMMAND_RETENTION_SECONDS = 30 * 86_400;
/** How long the same `Idempotency-Key` is the same command. */
export const IDEMPOTENCY_SECONDS = 86_400;
/** A device that has begun in time gets so long after the end to say what became of it. */
export const OUTCOME_GRACE_MS = 60_000;

/** Sparse index of commands that have not ended, by thing: partition key `waiting`, sort key `sk`. It holds keys only. */
export const WAITING_COMMANDS = 'by-waiting';

interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** All sort keys of commands begin with it. */
export const COMMAND_PREFIX = 'command#';

export function commandKey(thing: string, id: string): Key {
  return { pk: thing, sk: `${COMMAND_PREFIX}${id}` };
}

/** No thing's name has a `#`, so the partitions stay apart. */
export function idempotencyKey(person: string, key: string): Key {
  return { pk: `person#${person}`, sk: `key#${key}` };
}

/** States in which a command waits for the device. */
export const WAITING_STATES: readonly CommandState[] = ['QUEUED', 'SENT', 'DELIVERED'];

const Ending = {
  /** Why it was rejected, failed or void. */
  reason: v.optional(v.string()),
  result: v.optional(JsonText),
  /** The result was larger than what is kept; what is kept is the beginning of its JSON, as a string. */
  resultTruncated: v.optional(v.literal(true)),
};

const LateOutcome = v.object({
  state: v.picklist(['EXECUTED', 'REJECTED', 'FAILED']),
  at: EpochMilliseconds,
  ...Ending,
});
export type LateOutcome = v.InferOutput<typeof LateOutcome>;

export const CommandRow = v.object({
  thing: ThingName,
  id: CommandId,
  name: CommandName,
  payload: v.optional(JsonText),
  state: v.picklist(COMMAND_STATES),
  givenBy: PersonId,
  /** By what they might give it: a grant has to be in force still when the command goes to the device. */
  authority: v.picklist(['grant', 'staff']),
  givenAt: EpochMilliseconds,
  /** Its end: later than this a device does not begin it. `expiresAt` is the end of the row. */
  voidAt: EpochMilliseconds,
  changedAt: EpochMilliseconds,
  ...Ending,
  /** What the device said after the command had expired. */
  lateOutcome: v.optional(LateOutcome),
  /** Which tick comes next: ticks before it are copies. */
  tick: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** The thing, until the command has ended. */
  waiting: v.optional(ThingName),
  expiresAt: EpochSeconds,
});
export type CommandRow = v.InferOutput<typeof CommandRow>;

/** Which command a person gave under a key. */
export const IdempotencyRow = v.object({
  thing: ThingName,
  id: CommandId,
  /** SHA-256 of the thing and the body, in hex. */
  hash: v.string(),
  /** From then on the key is free, whether or not DynamoDB has removed the row. */
  endsAt: EpochMilliseconds,
  expiresAt: EpochSeconds,
});
export type IdempotencyRow = v.InferOutput<typeof IdempotencyRow>;

/** On the queue of deliveries: look at this command. Nothing in it is believed but what it is about. */
export const CommandTick = v.object({
  thing: ThingName,
  id: CommandId,
  /** The how manieth; the delay grows with it. */
  tick: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** When the command was about to be stored: for a while it may still come. */
  at: EpochMilliseconds,
});
export type CommandTick = v.InferOutput<typeof CommandTick>;

/** The smallest id of this time. */
export function firstCommandId(time: number): string {
  return ulidOf(time, new Uint8Array(ULID_RANDOM_BYTES));
}
