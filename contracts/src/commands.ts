/** Commands on the wire: what a device is told to do once, and what it says of it. For state there is the shadow. */
import * as v from 'valibot';
import { THING_NAME } from './names.ts';

const EpochMilliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Stays far below what MQTT and a DynamoDB item allow, also with its result beside it. */
export const MAX_COMMAND_PAYLOAD_BYTES = 8 * 1024;
export const MAX_COMMAND_RESULT_BYTES = 8 * 1024;

/** Commands of a thing sort by the time they were given: 48 bits of it, then 80 random ones, in Crockford's base 32 (a ULID). */
export const CommandId = v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'is no id of a command'));

/** `reboot`, `gate.open`: a device does only what its configuration names. */
export const CommandName = v.pipe(
  v.string(),
  v.regex(/^[a-zA-Z0-9_.-]{1,64}$/, 'must be 1 to 64 of a-z A-Z 0-9 _ . -'),
);

/** `device/{thing}/command/{id}/v1`. It may come more than once; it is executed once. */
export const CommandMessage = v.object({
  id: CommandId,
  name: CommandName,
  payload: v.unknown(),
  /** Later than this a device does not begin it. */
  expiresAt: EpochMilliseconds,
});
export type CommandMessage = v.InferOutput<typeof CommandMessage>;

/**
 * `device/{thing}/command/{id}/v1/outcome`. `DELIVERED`: the device has it and will say what became of it; `EXECUTED`: done;
 * `REJECTED`: not begun (unknown name, wrong payload, too late); `FAILED`: begun and not done, or nobody knows, after a crash.
 */
export const CommandOutcome = v.object({
  state: v.picklist(['DELIVERED', 'EXECUTED', 'REJECTED', 'FAILED']),
  /** Of REJECTED and FAILED. */
  reason: v.optional(v.pipe(v.string(), v.maxLength(1024))),
  /** Of EXECUTED and FAILED: what the handler gave. */
  result: v.optional(v.unknown()),
});
export type CommandOutcome = v.InferOutput<typeof CommandOutcome>;

/**
 * A device that has subscribed to its commands says so on `device/{thing}/command/pending/v1/outcome`, and gets those that
 * wait for it. The word stands where an id does; no id is like it.
 */
export const PENDING_COMMANDS = 'pending';

/** What the rule hands to the function: any message on an outcome topic. */
export const CommandOutcomeEvent = v.object({
  thing: v.pipe(v.string(), v.regex(THING_NAME, 'is no thing name')),
  /** The id of the command, or `pending`. */
  command: v.string(),
  at: EpochMilliseconds,
  /** The message as it came, in base64. */
  payload: v.string(),
});
export type CommandOutcomeEvent = v.InferOutput<typeof CommandOutcomeEvent>;

/** From the first to one of the last four, and never back. */
export const COMMAND_STATES = ['QUEUED', 'SENT', 'DELIVERED', 'EXECUTED', 'REJECTED', 'FAILED', 'EXPIRED'] as const;
export type CommandState = (typeof COMMAND_STATES)[number];
