/** Routes that tell a thing to do something once. For state that holds, there is `/things/{thing}/state`. */
import * as v from 'valibot';
import { COMMAND_STATES, CommandId, CommandName, MAX_COMMAND_PAYLOAD_BYTES } from '../commands.ts';
import { PersonId, ThingName } from '../grants.ts';
import { Cursor, EpochMilliseconds, None, queryInteger, route } from './route.ts';

const ThingParams = v.strictObject({ thing: ThingName });
const NO_SUCH_THING = { 404: 'there is no such thing, or it is not mine' };

const LateOutcome = v.object({
  state: v.picklist(['EXECUTED', 'REJECTED', 'FAILED']),
  at: EpochMilliseconds,
  reason: v.optional(v.string()),
  result: v.optional(v.unknown()),
  resultTruncated: v.optional(v.literal(true)),
});

export const Command = v.object({
  id: CommandId,
  thing: ThingName,
  name: CommandName,
  payload: v.optional(v.unknown()),
  state: v.picklist(COMMAND_STATES),
  givenBy: PersonId,
  givenAt: EpochMilliseconds,
  /** When it is void unless the device has done it. */
  expiresAt: EpochMilliseconds,
  /** When it came into its state. */
  changedAt: EpochMilliseconds,
  reason: v.optional(v.string()),
  result: v.optional(v.unknown()),
  /** The result was larger than what is kept: `result` is the beginning of its JSON, as a string. */
  resultTruncated: v.optional(v.literal(true)),
  /** What the device said after the command had expired; that changes its state no more. */
  lateOutcome: v.optional(LateOutcome),
});
export type Command = v.InferOutput<typeof Command>;

export const commandsRoutes = {
  giveCommand: route({
    operationId: 'giveCommand',
    method: 'POST',
    path: '/things/{thing}/commands',
    summary: 'Has a device do something once: at once, or when it connects before the time to live is over',
    audience: { kind: 'grant', role: 'controller', staff: ['operator'] },
    params: ThingParams,
    query: None,
    headers: v.object({
      /** The same key is the same command, for a day: a request may be sent again. */
      'idempotency-key': v.pipe(
        v.string(),
        v.regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters'),
      ),
    }),
    body: v.strictObject({
      name: CommandName,
      payload: v.optional(
        v.pipe(
          v.unknown(),
          v.check(
            (value) => new TextEncoder().encode(JSON.stringify(value) ?? '').length <= MAX_COMMAND_PAYLOAD_BYTES,
            `must be at most ${MAX_COMMAND_PAYLOAD_BYTES} bytes as JSON`,
          ),
        ),
      ),
      ttlSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(5), v.maxValue(7 * 86_400)), 300),
    }),
    status: 202,
    answer: Command,
    problems: { ...NO_SUCH_THING, 409: 'another command was given with this key' },
  }),
  listCommands: route({
    operationId: 'listCommands',
    method: 'GET',
    path: '/things/{thing}/commands',
    summary: 'Commands of a thing, newest first, for a month',
    audience: { kind: 'grant', role: 'viewer', staff: ['operator', 'support'] },
    params: ThingParams,
    query: v.strictObject({ limit: v.optional(queryInteger(1, 100)), cursor: v.optional(Cursor) }),
    body: undefined,
    status: 200,
    answer: v.object({ commands: v.array(Command), cursor: v.optional(v.string()) }),
    problems: NO_SUCH_THING,
  }),
  getCommand: route({
    operationId: 'getCommand',
    method: 'GET',
    path: '/things/{thing}/commands/{command}',
    summary: 'One command and what became of it',
    audience: { kind: 'grant', role: 'viewer', staff: ['operator', 'support'] },
    params: v.strictObject({ ...ThingParams.entries, command: CommandId }),
    query: None,
    body: undefined,
    status: 200,
    answer: Command,
    problems: { 404: 'there is no such thing or no such command' },
  }),
};
