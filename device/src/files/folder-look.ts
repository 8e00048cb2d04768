import type { Clock } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { Log } from '../log.ts';
import type { OutgoingFolder, WaitingFile } from './outgoing-folder.ts';

/** Should the system not tell of a change. */
const LOOK_MS = 30_000;

export interface FolderLookOptions {
  readonly folder: OutgoingFolder;
  /** Calls this when something may be in the folder; gives what ends it. */
  readonly watch: (changed: () => void) => () => void;
  /** Takes a file, if it is not known; false when there is no room for more. */
  readonly take: (file: WaitingFile) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Looks into the folder of outgoing files: when something changes there, and every now and then. */
export class FolderLook {
  readonly #options: FolderLookOptions;
  #looking: Promise<void> | undefined;
  #changed = false;
  #isOver = false;
  #cancel = (): void => {};
  #stopWatching: (() => void) | undefined;

  constructor(options: FolderLookOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, watch } = this.#options;
    const tick = async (): Promise<void> => {
      this.#cancel = clock.after(LOOK_MS, () => void tick());
      await this.#look();
      // The first look has made the folder.
      if (!this.#isOver) this.#stopWatching ??= watch(() => void this.#look());
    };
    void tick();
  }

  /** Resolves when nobody looks any more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#cancel();
    this.#stopWatching?.();
    await this.#looking;
  }

  /** One after the other: what changed during a look is seen by the next. Never rejects. */
  #look(): Promise<void> {
    this.#changed = true;
    this.#looking ??= this.#lookAgain().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookAgain(): Promise<void> {
    const { folder, take, log } = this.#options;
    while (this.#changed && !this.#isOver) {
      this.#changed = false;
      try {
        for await (const file of folder.waiting()) {
          if (this.#isOver || !(await take(file))) break;
        }
      } catch (error) {
        log.warn('file.not_seen', { reason: messageOf(error) });
      }
    }
  }
}
