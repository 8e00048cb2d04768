import { randomBytes } from 'node:crypto';
import type { Reading } from '@thingstead/contracts/telemetry';
import type { Clock } from './clock.ts';
import { messageOf } from './configuration-error.ts';
import type { FileSystem } from './file-system.ts';
import { Journal } from './journal.ts';
import type { Entry } from './journal-format.ts';
import type { Log } from './log.ts';
import type { Outbox, OutboxMessage } from './outbox.ts';
import { type Batch, endOf, OutboxState } from './outbox-state.ts';

/** How long the outbox waits before it tries a disk again that does not take its writes. */
const RETRY_MS = 30_000;
/** A file below this size is not rewritten to make it smaller. */
const SMALL_BYTES = 64 * 1024;
/** The file grows to twice what waits, and while it is rewritten the new one is there as well. */
const DISK_FACTOR = 3;

export interface DurableOutboxOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  /** What the folder may take, about; at least 256 KiB. */
  readonly maxBytes: number;
  /** Readings that have waited for so many milliseconds of running are dropped. */
  readonly maxAgeMs: number;
  /** A reading survives the end of the process at once, and a power cut after so many milliseconds. */
  readonly syncMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly newSession?: () => string;
}

/**
 * An outbox on the disk. What a batch holds is synced before the batch is sent for the first time, so that after a crash the
 * same readings go out under the same id. Every start rewrites the file, so that nothing rests on what another process may
 * have failed to sync. When the disk refuses, the outbox goes on in memory, says so, counts the readings that came
 * meanwhile, and tries again; batches then get ids of a new session, since the numbers cannot be kept.
 */
export class DurableOutbox implements Outbox {
  readonly #options: DurableOutboxOptions;
  readonly #journal: Journal;
  readonly #newSession: () => string;
  readonly #inFlight = new Set<string>();
  readonly #startedAt: number;
  readonly #ranBefore: number;
  #state: OutboxState;
  #ready: Batch[];
  #keeps = false;
  #loaded = false;
  #cancelSync: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;

  /** Recovers what is in the folder. Never throws because of the disk. */
  constructor(options: DurableOutboxOptions) {
    this.#options = options;
    this.#journal = new Journal(options.fs, options.directory);
    this.#newSession = options.newSession ?? (() => randomBytes(6).toString('hex'));
    this.#state = new OutboxState(this.#newSession());
    this.#recover();
    this.#ready = [...this.#state.batches.values()];
    this.#startedAt = options.clock.uptime();
    this.#ranBefore = this.#state.ran;
  }

  get size(): number {
    return this.#state.size;
  }
  get dropped(): number {
    return this.#state.dropped;
  }
  get setAsideReadings(): number {
    return this.#state.setAside;
  }
  /** Damaged places of the file that were passed over; a write that a power cut has torn counts as one. */
  get damaged(): number {
    return this.#state.damaged;
  }
  /** Readings that came while the disk refused: they were in memory only. */
  get unkept(): number {
    return this.#state.unkept;
  }

  put(sensor: string, reading: Reading): void {
    const { clock, maxAgeMs, maxBytes, syncMs } = this.#options;
    const state = this.#state;
    // By time of running: a clock that is set makes no reading old, and time without power is not known.
    state.ran = this.#ranBefore + Math.round(clock.uptime() - this.#startedAt);
    this.#record(state.reading(sensor, reading));
    if (!this.#keeps) state.unkept += 1;
    while (state.bytes > maxBytes / DISK_FACTOR && this.#dropOldest()) {}
    while (this.#dropOldest(state.ran - maxAgeMs)) {}
    this.#cancelSync ??= clock.after(syncMs, () => this.sync());
  }

  /** True when everything that was put survives a power cut. */
  sync(): boolean {
    this.#cancelSync?.();
    this.#cancelSync = undefined;
    if (this.#keeps) this.#attempt(() => this.#journal.sync());
    return this.#keeps;
  }

  take(): OutboxMessage | undefined {
    if (this.#ready.length === 0) this.#makeBatches();
    const batch = this.#ready.shift();
    if (batch) this.#inFlight.add(batch.id);
    return batch;
  }

  acknowledge(message: OutboxMessage): void {
    this.#end(message, 'acknowledged');
  }

  putBack(message: OutboxMessage): void {
    this.#inFlight.delete(message.id);
    const batch = this.#state.batches.get(message.id);
    if (batch) this.#ready.push(batch);
  }

  setAside(message: OutboxMessage): void {
    this.#end(message, 'setAside');
  }

  /** Syncs and ends all timers. */
  close(): void {
    this.sync();
    this.#cancelRetry?.();
    this.#journal.close();
  }

  #recover(): void {
    const state = this.#state;
    let damaged = 0;
    try {
      const loaded = this.#journal.load();
      for (const entry of loaded.entries) state.apply(entry);
      damaged = loaded.damaged;
      this.#loaded = true;
    } catch (error) {
      this.#stopKeeping(error);
      return;
    }
    if (damaged > 0) {
      state.damaged += damaged;
      state.renew(this.#newSession());
      const message = 'parts of the outbox cannot be read; a power cut while writing leaves one such part';
      this.#options.log.warn('outbox.damaged', {
        message,
        parts: damaged,
        total: state.damaged,
        recovered: state.size,
      });
    }
    try {
      this.#rewrite();
    } catch (error) {
      this.#stopKeeping(error);
    }
  }

  /** All that waits becomes messages, so that one sync serves them all. */
  #makeBatches(): void {
    const made: Batch[] = [];
    for (let entry = this.#state.nextBatch(); entry; entry = this.#state.nextBatch()) {
      const batch = this.#record(entry);
      if (batch) made.push(batch);
    }
    if (made.length === 0) return;
    const kept = this.#keeps && this.sync();
    this.#ready = kept ? made : made.map((batch) => this.#ofPresentSession(batch));
  }

  /** A number of the old session may come again after a restart, since it was not kept. */
  #ofPresentSession(batch: Batch): Batch {
    return batch.entry.session === this.#state.session ? batch : this.#state.renumber(batch);
  }

  #end(message: OutboxMessage, outcome: 'acknowledged' | 'setAside'): void {
    this.#inFlight.delete(message.id);
    const batch = this.#state.batches.get(message.id);
    // Need not be synced: without it the same message goes out again after a power cut.
    if (batch) this.#record(endOf(batch, outcome));
  }

  #dropOldest(olderThan?: number): boolean {
    const entry = this.#state.nextDrop(this.#inFlight, olderThan);
    if (!entry) return false;
    this.#record(entry);
    this.#ready = this.#ready.filter(({ id }) => this.#state.batches.has(id));
    return true;
  }

  #record(entry: Entry): Batch | undefined {
    const batch = this.#state.apply(entry);
    if (!this.#keeps) return batch;
    this.#attempt(() => {
      this.#journal.append(entry);
      if (this.#journal.size > Math.max(SMALL_BYTES, 2 * this.#state.bytes)) this.#rewrite();
    });
    return batch;
  }

  /** Does a step on the disk. After an error the file is not touched again: all of it is written into a new one. */
  #attempt(step: () => void): void {
    try {
      step();
      return;
    } catch (error) {
      const reason = messageOf(error);
      this.#options.log.warn('outbox.rewriting', { message: 'the disk refused; writing a new file', reason });
    }
    try {
      this.#rewrite();
    } catch (error) {
      this.#stopKeeping(error);
    }
  }

  #rewrite(): void {
    this.#journal.rewrite(this.#state.snapshot());
    this.#keeps = true;
  }

  #stopKeeping(error: unknown): void {
    const { clock, directory, log } = this.#options;
    this.#keeps = false;
    this.#journal.close();
    this.#state.renew(this.#newSession());
    const message = 'the disk refuses; readings are in memory only and do not survive a restart';
    log.error('outbox.not_kept', { message, directory, reason: messageOf(error) });
    this.#cancelRetry = clock.after(RETRY_MS, () => this.#tryAgain());
  }

  #tryAgain(): void {
    const { clock, log } = this.#options;
    try {
      // What lies on a disk that could not be read at the start is left for the next start.
      this.#loaded ||= this.#journal.load().entries.length === 0;
      if (!this.#loaded) return;
      this.#rewrite();
      log.info('outbox.kept_again', { message: 'the disk takes readings again', unkept: this.#state.unkept });
    } catch {
      this.#cancelRetry = clock.after(RETRY_MS, () => this.#tryAgain());
    }
  }
}
