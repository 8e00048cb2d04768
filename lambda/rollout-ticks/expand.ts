import {
  ALL_LISTED,
  ROLLOUT_DEVICE_RETENTION_SECONDS,
  type RolloutDeviceRow,
  type RolloutEvent,
  type RolloutRow,
} from '@thingstead/contracts/rollout-store';
import { type Candidate, candidatesFrom } from '../rollouts/candidates.ts';
import type { TickPorts } from '../rollouts/ports.ts';
import { nobody } from './decide.ts';

/** With the rollout's row and their count, devices that one transaction of DynamoDB takes: at most 100 items. */
export const MAX_EXPANDED = 97;
/** Pages that one tick reads. */
const MAX_PAGES = 5;

export interface Expanded {
  /** As it is stored. */
  readonly rollout: RolloutRow;
  /** As it is to go on. */
  readonly moved: RolloutRow;
  /** Set when all are listed. */
  readonly event?: Pick<RolloutEvent, 'kind' | 'text' | 'numbers'>;
}

/**
 * Lists the devices of a rollout, a few pages at a time. Each page is written together with the place where the next one begins:
 * so each device is listed and counted once, whatever happens in between. Undefined: somebody else has got further.
 */
export async function expand(row: RolloutRow, ports: TickPorts): Promise<Expanded | undefined> {
  let rollout = row;
  for (let page = 0; page < MAX_PAGES && rollout.listed.list !== ALL_LISTED; page += 1) {
    const now = ports.now();
    const of = { target: rollout.settings.target, release: rollout.release };
    const { candidates, next } = await candidatesFrom(rollout.listed, MAX_EXPANDED, of, ports, now);
    const listed = next ?? { list: ALL_LISTED, name: '' };
    const expanded = { ...rollout, listed, revision: rollout.revision + 1 };
    if (
      !(await ports.rollouts.expand(
        rollout,
        expanded,
        candidates.map((each) => rowOf(each, rollout, now)),
      ))
    ) {
      return undefined;
    }
    rollout = expanded;
  }
  if (rollout.listed.list !== ALL_LISTED) return { rollout, moved: rollout };
  const { PENDING = 0, SKIPPED = 0 } = await ports.rollouts.counts(rollout.id);
  const text = PENDING === 0 ? nobody(SKIPPED) : `${PENDING} devices get it, ${SKIPPED} are passed over`;
  const allowance = { starts: 0, at: ports.now() };
  return {
    rollout,
    moved: { ...rollout, allowance, state: 'RUNNING', changedAt: ports.now() },
    event: { kind: 'started', text, numbers: { PENDING, SKIPPED } },
  };
}

function rowOf({ thing, order, skip }: Candidate, { id, createdAt }: RolloutRow, now: number): RolloutDeviceRow {
  return {
    ...{ rollout: id, thing, order, state: skip ? 'SKIPPED' : 'PENDING', ...(skip && { reason: skip }) },
    ...{ revision: 0, attempts: 0, changedAt: now },
    expiresAt: Math.ceil(createdAt / 1000) + ROLLOUT_DEVICE_RETENTION_SECONDS,
  };
}
