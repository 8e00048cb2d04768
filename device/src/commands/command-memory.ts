import type { CommandOutcome } from '@thingstead/contracts/commands';
import type { Clock } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { Log } from '../log.ts';
import type { CommandRecord, CommandStore } from './command-store.ts';

/** So many commands are remembered; the oldest that are over go first, those that have expired a day ago as well. */
const MAX_REMEMBERED = 128;
const REMEMBERED_MS = 24 * 3_600_000;

export interface CommandMemoryOptions {
  /** Without one, commands are forgotten with the process. */
  readonly store?: CommandStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** Every command that is known of, in memory and on the disk. */
export class CommandMemory {
  readonly #options: CommandMemoryOptions;
  readonly #records = new Map<string, CommandRecord>();
  /** Ids at or below it are not known any more. */
  #forgotten = '';
  #loaded = false;

  constructor(options: CommandMemoryOptions) {
    this.#options = options;
    this.#loaded = options.store === undefined;
  }

  /** Reads what an earlier process has left, until that has worked once. False as long as it has not. */
  load(): boolean {
    const { store, log } = this.#options;
    if (this.#loaded || !store) return this.#loaded;
    try {
      const { records, damaged, forgotten } = store.load();
      for (const record of records) this.#records.set(record.id, record);
      for (const id of damaged) {
        log.warn('command.damaged', { message: 'what was remembered of this command cannot be read', id });
        // As one that was begun, so that it does not begin.
        this.#records.set(id, { id, name: 'unknown', expiresAt: 0, begun: 1, told: false });
      }
      this.#forgotten = forgotten;
      this.#loaded = true;
    } catch (error) {
      log.error('command.not_kept', {
        message: 'what was done cannot be read; no command is taken',
        reason: messageOf(error),
      });
    }
    return this.#loaded;
  }

  get(id: string): CommandRecord | undefined {
    return this.#records.get(id);
  }

  /** Whether nobody knows any more if there was such a command. */
  isForgotten(id: string): boolean {
    return id <= this.#forgotten && !this.#records.has(id);
  }

  /** Those without an outcome. */
  unfinished(): readonly CommandRecord[] {
    return [...this.#records.values()].filter(({ outcome }) => !outcome);
  }

  /** Outcomes that the cloud does not have. */
  untold(): readonly { readonly id: string; readonly outcome: CommandOutcome }[] {
    return [...this.#records.values()].flatMap(({ id, outcome, told }) => (outcome && !told ? { id, outcome } : []));
  }

  /** The cloud may not have the outcome after all. */
  tellAgain(record: CommandRecord): void {
    this.#records.set(record.id, { ...record, told: false });
  }

  /** In memory in any case. False when the disk does not have it. */
  keep(record: CommandRecord): boolean {
    const { store, log } = this.#options;
    this.#records.set(record.id, record);
    try {
      store?.keep(record);
      return true;
    } catch (error) {
      const message = 'the disk refuses; no command begins before it takes what is to be remembered';
      log.error('command.not_kept', { message, id: record.id, reason: messageOf(error) });
      return false;
    }
  }

  /** Forgets what must go for one more command. False when there is no room for it. */
  makeRoom(): boolean {
    const { store, clock, log } = this.#options;
    const over = [...this.#records.values()].filter(({ outcome }) => outcome);
    const due = over.filter(({ told, expiresAt }) => told && expiresAt + REMEMBERED_MS < clock.now());
    const excess = this.#records.size - due.length - MAX_REMEMBERED + 1;
    const oldest = over
      .filter((each) => !due.includes(each))
      .toSorted((a, b) => Number(b.told) - Number(a.told) || (a.id < b.id ? -1 : 1));
    const ids = [...due, ...oldest.slice(0, Math.max(0, excess))].map(({ id }) => id);
    if (ids.length > 0) {
      const last = [...ids, this.#forgotten].toSorted().at(-1) ?? '';
      try {
        store?.forget(ids, last);
        this.#forgotten = last;
        for (const id of ids) this.#records.delete(id);
      } catch (error) {
        log.warn('command.not_forgotten', { reason: messageOf(error) });
      }
    }
    return this.#records.size < MAX_REMEMBERED;
  }
}
