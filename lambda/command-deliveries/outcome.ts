import type { CommandRow } from '@thingstead/contracts/command-store';
import {
  CommandId,
  CommandOutcome,
  type CommandOutcomeEvent,
  MAX_COMMAND_RESULT_BYTES,
  PENDING_COMMANDS,
} from '@thingstead/contracts/commands';
import { type Validated, validate } from '@thingstead/contracts/validate';
import { deliver } from './deliver.ts';
import { isWaiting, mayFollow, transition } from './life-cycle.ts';
import type { Ports, Step } from './ports.ts';

/** More of them come with their ticks. */
export const MAX_PUBLISHED_AT_ONCE = 100;

/**
 * Takes what a device says on the outcome topics: that it listens, or what became of a command. Duplicates and outcomes in the
 * wrong order change nothing; what cannot be read, or is of no command of this thing, is reported and makes no row.
 */
export async function onOutcome(event: CommandOutcomeEvent, ports: Ports): Promise<void> {
  const { thing, command } = event;
  if (command === PENDING_COMMANDS) return publishWaiting(thing, ports);
  const refuse = (reason: string): void => ports.reports.refused({ thing, command: command.slice(0, 64), reason });
  if (!validate(CommandId, command).ok) return refuse('the topic names no command');
  const read = readOutcome(event);
  if (!read.ok) return refuse(read.reason);
  const { state } = read.value;
  const step: Step = { ...read.value.ending, state, changedAt: event.at };
  const decide = (row: CommandRow): Step | undefined => (mayFollow(state, row.state) ? step : undefined);
  const row = await transition({ thing, id: command }, decide, ports);
  if (!row) return refuse('this thing has no such command');
  if (isWaiting(row) || row.state === state || state === 'DELIVERED') return;
  if (row.state !== 'EXPIRED') return ports.reports.contradicted(row, state);
  if (await ports.commands.recordLate(row, { ...read.value.ending, state, at: event.at }))
    ports.reports.late(row, state);
}

/** The device has subscribed. One after the other, the oldest first, so that it mostly gets them in the order they were given. */
async function publishWaiting(thing: string, ports: Ports): Promise<void> {
  for (const id of await ports.commands.waiting(thing, MAX_PUBLISHED_AT_ONCE)) {
    const row = await ports.commands.read(thing, id);
    if (row && isWaiting(row) && ports.now() < row.voidAt) await deliver(row, true, ports);
  }
}

type Ending = Pick<Step, 'reason' | 'result' | 'resultTruncated'>;

function readOutcome({
  payload,
}: CommandOutcomeEvent): Validated<{ readonly state: CommandOutcome['state']; readonly ending: Ending }> {
  let value: unknown;
  let resultText: string | undefined;
  try {
    value = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    resultText = JSON.stringify((value as { readonly result?: unknown } | null)?.result);
  } catch {
    return { ok: false, reason: 'the outcome is no JSON, or nested too deeply' };
  }
  const outcome = validate(CommandOutcome, value);
  if (!outcome.ok) return { ok: false, reason: outcome.reason.slice(0, 1000) };
  const { state, reason } = outcome.value;
  const result = resultText === undefined || state === 'DELIVERED' ? {} : kept(resultText);
  return { ok: true, value: { state, ending: { ...(reason !== undefined && { reason }), ...result } } };
}

/** Whole, or the beginning of it as a string, cut between characters. */
function kept(text: string): Ending {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_COMMAND_RESULT_BYTES) return { result: text };
  const beginning = new TextDecoder().decode(bytes.subarray(0, MAX_COMMAND_RESULT_BYTES), { stream: true });
  return { result: JSON.stringify(beginning), resultTruncated: true };
}
