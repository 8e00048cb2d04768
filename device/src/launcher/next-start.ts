import path from 'node:path';
import type { FirmwareFileSystem } from '../firmware/firmware-file-system.ts';
import { BootRecord, isPending, type SlotName, type TrialFailure } from './boot-record.ts';

/** The program of every version: of the slots, and of the one that came with the launcher. */
export const PROGRAM = 'bin/thingstead-agent';

export interface Start {
  /** `factory`: the version that came with the launcher, which no update touches. */
  readonly slot: SlotName | 'factory';
  readonly program: string;
  /** It is on trial; and so long it may be, in seconds. */
  readonly deadlineSeconds?: number;
}

interface Folders {
  /** Of the slots. */
  readonly directory: string;
  /** Of the version that came with the launcher. */
  readonly factory: string;
}

/**
 * What is to be started now. A boot of a slot on trial is counted, for certain, before it is used: a version that takes the power
 * away has used it. What cannot be counted is not tried. Where the slots cannot be read there is the version that came with the
 * launcher.
 *
 * @param fallBack the good slot has failed again and again: the version that came with the launcher has its turn.
 * @param complain told why a trial, or a slot, is not started.
 */
export function nextStart(
  fs: FirmwareFileSystem,
  { directory, factory }: Folders,
  fallBack: boolean,
  complain: (text: string) => void,
): Start {
  try {
    const start = startOfSlot(fs, directory, fallBack, complain);
    if (start) return start;
  } catch (error) {
    complain(`the slots cannot be read: ${error}`);
  }
  return { slot: 'factory', program: path.join(factory, PROGRAM) };
}

/** Undefined when there is none to be started. @throws the error of the system. */
function startOfSlot(
  fs: FirmwareFileSystem,
  directory: string,
  fallBack: boolean,
  complain: (text: string) => void,
): Start | undefined {
  const record = new BootRecord(fs, directory);
  const program = (slot: SlotName): string => path.join(directory, slot, PROGRAM);
  const good = record.good();
  const trial = record.trial();
  if (trial && isPending(trial, good)) {
    try {
      record.writeTrial({ ...trial, bootsLeft: trial.bootsLeft - 1 });
      return { slot: trial.slot, program: program(trial.slot), deadlineSeconds: trial.deadlineSeconds };
    } catch (error) {
      complain(`the boot of slot ${trial.slot} cannot be counted, so it is not tried: ${error}`);
    }
  }
  if (good && !fallBack && fs.entry(program(good))?.kind === 'file') return { slot: good, program: program(good) };
  return undefined;
}

/** Notes how a start of the slot on trial has ended; only for the report, so a disk that refuses does no harm. */
export function noteTrialEnd(
  fs: FirmwareFileSystem,
  directory: string,
  slot: Start['slot'],
  ended: TrialFailure,
): void {
  const record = new BootRecord(fs, directory);
  const trial = record.trial();
  // What the version has said of itself is more than its launcher knows.
  if (trial?.slot !== slot || trial.ended?.failure === 'unhealthy') return;
  try {
    if (record.good() === slot) return;
    record.writeTrial({ ...trial, ended });
  } catch {}
}
