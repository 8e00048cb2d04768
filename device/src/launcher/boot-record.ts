/**
 * What launcher and agent tell each other through the folder of slots. Launchers stay on a device when agents come and go, so
 * this format stays as it is: members may be added, and none may change what it means.
 */
import path from 'node:path';
import type { FirmwareFileSystem } from '../firmware/firmware-file-system.ts';
import { RecordPair } from '../firmware/record-pair.ts';

const BYTES = 2048;
const MAX_REASON = 300;
/** The link to the slot that is good; without it the version that came with the launcher is. */
const CURRENT = 'current';

export type SlotName = 'a' | 'b';

/** Why a trial has ended. */
export interface TrialFailure {
  readonly failure: 'does-not-start' | 'unhealthy';
  readonly reason: string;
}

/** A slot on trial. It is over when the slot is the good one, or no boots are left. */
export interface Trial {
  readonly slot: SlotName;
  readonly attempt: string;
  /** How often it may still be started. */
  readonly bootsLeft: number;
  /** Within so many seconds of a start it has become the good one, or is stopped. */
  readonly deadlineSeconds: number;
  /** How the last start of it ended. */
  readonly ended?: TrialFailure;
  /** An agent has ended the trial, perhaps the one on trial: the launcher need not know. */
  readonly givenUp?: boolean;
}

export class BootRecord {
  readonly #fs: FirmwareFileSystem;
  readonly #directory: string;
  readonly #pair: RecordPair;

  /** @param directory of the slots. */
  constructor(fs: FirmwareFileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
    this.#pair = new RecordPair(fs, directory, 'boot', BYTES);
  }

  /** The slot that is good; undefined for the version that came with the launcher. */
  good(): SlotName | undefined {
    const entry = this.#fs.entry(path.join(this.#directory, CURRENT));
    return entry?.kind === 'link' && isSlot(entry.target) ? entry.target : undefined;
  }

  /** The last trial, also one that is over. */
  trial(): Trial | undefined {
    const value = this.#pair.read();
    return isTrial(value) ? value : undefined;
  }

  /** On the disk when it returns. @throws the error of the system. */
  writeTrial(trial: Trial): void {
    const { ended } = trial;
    const cut = ended && { ended: { ...ended, reason: ended.reason.slice(0, MAX_REASON) } };
    this.#pair.write({ ...trial, ...cut });
  }

  /** Makes what a later write needs no room for. @throws the error of the system. */
  prepare(): void {
    this.#pair.prepare();
  }

  /** Makes a slot the good one. It is for certain when this returns, also when the link was there already. @throws the error of the system. */
  setGood(slot: SlotName): void {
    if (this.good() !== slot) {
      const draft = path.join(this.#directory, `${CURRENT}.draft`);
      this.#fs.removeAll(draft);
      this.#fs.makeLink(slot, draft);
      this.#fs.rename(draft, path.join(this.#directory, CURRENT));
    }
    this.#fs.syncDirectory(this.#directory);
  }
}

/** Whether the trial is still to be started. */
export function isPending(trial: Trial | undefined, good: SlotName | undefined): boolean {
  return trial !== undefined && trial.slot !== good && trial.bootsLeft > 0;
}

function isSlot(name: unknown): name is SlotName {
  return name === 'a' || name === 'b';
}

function isTrial(value: unknown): value is Trial {
  if (typeof value !== 'object' || value === null) return false;
  const { slot, attempt, bootsLeft, deadlineSeconds } = value as Readonly<Record<keyof Trial, unknown>>;
  return (
    isSlot(slot) &&
    typeof attempt === 'string' &&
    typeof deadlineSeconds === 'number' &&
    typeof bootsLeft === 'number' &&
    Number.isSafeInteger(bootsLeft)
  );
}
