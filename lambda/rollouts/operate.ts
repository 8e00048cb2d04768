import type { RolloutEvent, RolloutRow } from '@thingstead/contracts/rollout-store';
import type { Rollouts, Ticks } from './ports.ts';

/** Ticks move the row on at the same time; while devices are listed, with every page. */
const ATTEMPTS = 12;

/** Others changed the rollout again and again; whoever called tries again. */
export class ContendedRolloutError extends Error {
  override readonly name = 'ContendedRolloutError';
}

export type Operated =
  | { readonly kind: 'done'; readonly rollout: RolloutRow }
  | { readonly kind: 'none' }
  /** It is in no state for that. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface OperatePorts {
  readonly rollouts: Pick<Rollouts, 'read' | 'advance'>;
  readonly ticks: Ticks;
  /** Epoch milliseconds. */
  now(): number;
}

type Operation = (row: RolloutRow) =>
  | { readonly refused: string }
  /** It is so already. */
  | { readonly same: true }
  | { readonly next: Partial<RolloutRow>; readonly event: Pick<RolloutEvent, 'kind' | 'text'> };

/** Nothing new starts. What has begun goes on to its end. */
export const pause: Operation = (row) => {
  if (row.state === 'PAUSED') return { same: true };
  if (row.state !== 'RUNNING') return { refused: `it is ${row.state}` };
  const text = 'paused by an operator';
  return { next: { state: 'PAUSED', pausedFor: 'operator', reason: text }, event: { kind: 'paused', text } };
};

/**
 * Goes on. One that was paused because of its wave goes on with the next one: whoever resumes it takes that wave as it is. One that
 * runs gets another tick, in case that the last one was lost.
 */
export const resume: Operation = (row) => {
  if (row.endedAt !== undefined || row.state === 'ABORTED') return { refused: `it is ${row.state}` };
  if (row.state !== 'PAUSED') return { next: {}, event: { kind: 'resumed', text: 'another tick was sent' } };
  const isNext = row.pausedFor === 'wave' && row.wave + 1 < row.settings.waves.length;
  const text = isNext ? `resumed, with wave ${row.wave + 2}` : 'resumed';
  const next = {
    state: 'RUNNING',
    pausedFor: undefined,
    reason: undefined,
    ...(isNext && { wave: row.wave + 1 }),
  } as const;
  return { next, event: { kind: 'resumed', text } };
};

/** No device is started any more, and those that can still stop are told to. For good. */
export const abort: Operation = (row) => {
  if (row.state === 'ABORTED') return { same: true };
  if (row.state === 'COMPLETED') return { refused: 'it is COMPLETED' };
  const text = 'aborted by an operator';
  return { next: { state: 'ABORTED', pausedFor: undefined, reason: text }, event: { kind: 'aborted', text } };
};

/** Devices that have failed get another attempt. */
export const retryFailed: Operation = (row) => {
  if (row.state === 'ABORTED' || row.state === 'EXPANDING') return { refused: `it is ${row.state}` };
  const next = { state: row.state === 'COMPLETED' ? 'RUNNING' : row.state, retriedTo: '', endedAt: undefined } as const;
  return { next, event: { kind: 'retried', text: 'those that have failed get another attempt' } };
};

/** Does it, by itself: ticks that are under way come to nothing, and a new one follows. @throws ContendedRolloutError */
export async function operate(
  id: string,
  operation: Operation,
  by: string,
  { rollouts, ticks, now }: OperatePorts,
): Promise<Operated> {
  let sent: number | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const row = await rollouts.read(id);
    if (!row) return { kind: 'none' };
    const outcome = operation(row);
    if ('refused' in outcome) return { kind: 'refused', reason: outcome.refused };
    if ('same' in outcome) return { kind: 'done', rollout: row };
    const tick = row.tick + 1;
    const event = { ...outcome.event, number: row.events, at: now(), wave: row.wave, by };
    const moved = {
      tick,
      revision: row.revision + 1,
      changedAt: now(),
      nextTickAt: now() + 1000,
      events: row.events + 1,
    };
    const isResumed = row.state === 'PAUSED' && outcome.next.state === 'RUNNING';
    const resumed = isResumed ? { resumedAt: now() } : {};
    // Starts that were not used while it stood still are not made up for.
    const next = { ...row, ...outcome.next, ...moved, ...resumed, allowance: { starts: 0, at: now() } };
    // Each that is sent competes with this. The same one is not sent again, which is faster than the next page too.
    if (sent !== tick) await ticks.send({ rollout: id, tick, at: now() }, 1);
    sent = tick;
    if (await rollouts.advance(row, next, event)) return { kind: 'done', rollout: next };
  }
  throw new ContendedRolloutError(`rollout ${id} was changed by others ${ATTEMPTS} times`);
}
