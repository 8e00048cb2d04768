import type { Log } from '../kernel/log.ts';
import type { DataFolder, Part } from './data-folder.ts';

/** What the end of the process by force can undo at most, in milliseconds, while saving is fast. */
const INTERVAL_MS = 1000;
/** Saving takes at most this part of the time: much state is saved less often. */
const SHARE = 1 / 20;

/** Keeps a data folder up to date while a runtime runs. */
export class StateSaver {
  readonly #folder: DataFolder;
  readonly #parts: () => readonly Part[];
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #failed = false;

  constructor(folder: DataFolder, parts: () => readonly Part[], log: Log) {
    this.#folder = folder;
    this.#parts = parts;
    this.#log = log;
  }

  /** Saves now, and from now on again and again. Throws the system's error when the first time fails. */
  start(): void {
    this.#again(this.#save());
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Saves for the last time. Throws the system's error. */
  finish(): void {
    this.pause();
    this.#save();
  }

  /** Gives how long it took, in milliseconds. */
  #save(): number {
    const startedAt = performance.now();
    this.#folder.save(this.#parts());
    return performance.now() - startedAt;
  }

  #again(tookMs: number): void {
    this.#timer = setTimeout(() => this.#again(this.#try()), Math.max(INTERVAL_MS, tookMs / SHARE));
    this.#timer.unref();
  }

  /** A full disk must not end the runtime: it is said once, and tried again. */
  #try(): number {
    try {
      const took = this.#save();
      if (this.#failed) this.#log.info('the state is saved again');
      this.#failed = false;
      return took;
    } catch (error) {
      if (!this.#failed) this.#log.error('the state could not be saved; it is tried again', { error });
      this.#failed = true;
      return 0;
    }
  }
}
