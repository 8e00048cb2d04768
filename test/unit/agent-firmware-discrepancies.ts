/** What a device that was killed again and again has said, and what stands on its disk. */
import path from 'node:path';
import { nodeFirmwareFileSystem as fs } from '../../device/src/firmware/node-firmware-file-system.ts';
import { isBeforeRestart } from '../../device/src/firmware/update-context.ts';
import { UpdateJournal } from '../../device/src/firmware/update-journal.ts';
import { isPending } from '../../device/src/launcher/boot-record.ts';
import { attemptOf, type Device } from './agent-firmware-processes.ts';
import { MAX_BOOTS } from './agent-firmware-world.ts';

/** Every third version does not start. */
export const works = (counter: number): boolean => counter % 3 !== 2;

/** What cannot be true, or did not come about, of the versions up to the last, which was left alone. */
export function discrepancies({ cloud, trials, goodCounter }: Device, last: number): readonly string[] {
  const wrong: string[] = [];
  for (let counter = 1; counter <= last; counter += 1) {
    const ends = cloud.endOf({ attempt: attemptOf(counter) });
    const states = [...new Set(ends.map(({ state }) => state))];
    const speakers = ends.map(({ by }) => by);
    if (states.length !== 1) wrong.push(`${counter} has ended as ${states.join(' and ')}`);
    if (states[0] === 'FAILED') wrong.push(`${counter} has failed: ${ends[0]?.status.reason}`);
    if (states[0] === 'COMMITTED' && !works(counter)) wrong.push(`${counter} does not start and is committed`);
    if (states[0] === 'COMMITTED' && speakers.some((by) => by !== counter))
      wrong.push(`${counter}: ${speakers} say so`);
    if (states[0] === 'ROLLED_BACK' && speakers.some((by) => by >= counter))
      wrong.push(`${counter}: ${speakers} went back`);
    const starts = trials.get(attemptOf(counter)) ?? 0;
    if (starts > MAX_BOOTS) wrong.push(`${counter} was tried ${starts} times`);
  }
  let committed = 0;
  for (const { state, by } of cloud.heard) {
    if (by < committed) wrong.push(`${by} speaks after ${committed} was committed`);
    if (state === 'COMMITTED') committed = by;
  }
  if (committed !== last) wrong.push(`${committed} was committed last, not ${last}`);
  if (goodCounter !== last) wrong.push(`${goodCounter} is the good one, not ${last}`);
  return wrong;
}

/** How far the update was, as the disk says. */
export function stateOf({ folder, record }: Device): string {
  const { update, ended } = new UpdateJournal(fs, path.join(folder, 'state'));
  const last = ended.at(-1);
  if (!update) return last && !last.told ? `in ${last.state}` : 'between updates';
  if (isBeforeRestart(update)) return `in ${update.state}`;
  const [good, trial] = [record.good(), record.trial()];
  if (good === update.slot) return `in ${update.state}, the slot is good`;
  if (trial?.attempt !== update.attempt) return `in ${update.state}, not yet switched`;
  return `in ${update.state}, ${isPending(trial, good) ? 'on trial' : 'no boot left'}`;
}
