import type { TrialFailure } from '../launcher/boot-record.ts';

/** What is installed, as far as the installer has to know it. */
export interface Image {
  /** On the disk; whole, and with this hash when it was last read. */
  readonly file: string;
  readonly size: number;
  /** In hex. */
  readonly sha256: string;
}

/** Where a slot stands in its trial. */
export type TrialState =
  /** There is none for this attempt, or it is not certain that there is one. */
  | { readonly kind: 'none' }
  /** The next start is to be of the slot, or it is the one that runs. */
  | { readonly kind: 'pending' }
  /** It was given up; or, seen from another version, all its boots are used. */
  | ({ readonly kind: 'over' } & TrialFailure);

/**
 * How a version comes onto the device beside the one that runs, is tried, and stays or goes. Slots have names. Every call may be cut
 * off by the end of power, and is made again then. All throw or reject with an Error in words for the report.
 */
export interface Installer {
  /** The slot whose version runs now. */
  running(): Promise<string>;
  /** Whether `running` is the one that starts next time, too, without a trial. */
  isGood(): Promise<boolean>;
  /** Why updates cannot be taken now; undefined when they can. */
  problem(): Promise<string | undefined>;
  /** Bytes that the image takes for itself once more when it is installed, at most. */
  roomFor(size: number): number;
  /**
   * Writes the image into the slot that does not run, and reads back what was written. Nothing of it is started before `trySwitch`.
   *
   * @returns the name of the slot.
   */
  install(image: Image, signal: AbortSignal): Promise<string>;
  /** From the next start on the slot is on trial; `restart` has to follow. */
  trySwitch(slot: string, attempt: string): Promise<void>;
  /** Ends the present version, for the one that is to start next. */
  restart(): Promise<void>;
  /** Where the trial of the slot for this attempt stands, seen from a version that runs. */
  trial(slot: string, attempt: string): Promise<TrialState>;
  /** The running slot stays. For certain when it resolves, also when it was so before. */
  commit(): Promise<void>;
  /** The trial of the attempt is over, for certain when it resolves; also when the version that runs is the one on trial. */
  rollBack(slot: string, attempt: string, why: TrialFailure): Promise<void>;
}
