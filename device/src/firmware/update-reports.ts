import type { UpdateState } from '@thingstead/contracts/firmware';
import { Backoff } from '../backoff.ts';
import { pause } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { Status } from './firmware-cloud.ts';
import type { Obstacle } from './preconditions.ts';
import type { UpdateContext } from './update-context.ts';

const PAUSES = { baseMs: 2_000, capMs: 600_000, stableMs: 1_200_000 };
const STEPS_OF_PROGRESS = 4;

interface Report {
  readonly attempt: string;
  readonly status: Status;
  /** The same for what need not be said twice. */
  readonly key: string;
  readonly isEnd: boolean;
}

export interface ReportsOptions extends Pick<UpdateContext, 'journal' | 'cloud' | 'clock' | 'log' | 'running'> {
  /** Of what runs, also when it is from no release. */
  readonly version: string;
}

/**
 * Says where the update is until the cloud has taken it: ends across restarts and versions, what is between them as far as it is
 * still so. All it says stands in the journal first.
 */
export class UpdateReports {
  readonly #options: ReportsOptions;
  readonly #pauses = new Backoff(PAUSES);
  readonly #listeners = new Set<() => void>();
  #said: string | undefined;
  /** Ends that the cloud has taken, also when the disk does not take that. */
  readonly #endsSaid = new Set<string>();
  #waitsFor: Obstacle | undefined;
  #restarts = false;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Why the update waits; undefined when it does not. */
  waitsFor(obstacle: Obstacle | undefined): void {
    this.#waitsFor = obstacle;
    this.changed();
  }

  /** This process is the one that restarts. */
  restarts(): void {
    this.#restarts = true;
    this.changed();
  }

  /** Looks at the journal again. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Whether the cloud has heard this of the present update, from this process. */
  hasSaid(state: UpdateState): boolean {
    const { update } = this.#options.journal;
    return this.#said !== undefined && update?.state === state && this.#said === this.#next(true)?.key;
  }

  /** Whether there is nothing left to say. */
  get isSilent(): boolean {
    return this.#next() === undefined;
  }

  /** Resolves when there is nothing left to say, or the signal is aborted. */
  async silent(signal: AbortSignal): Promise<void> {
    while (!this.isSilent && !signal.aborted) await this.#change(signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { cloud, clock } = this.#options;
    while (!signal.aborted) {
      const next = this.#next();
      if (!next) {
        await this.#change(signal);
        continue;
      }
      await cloud.connected(signal);
      const answer = await cloud.tell(next.attempt, next.status, signal);
      if (answer !== 'unanswered') this.#heard(next);
      else if (cloud.isConnected) await pause(clock, this.#pauses.nextAt(clock.uptime()), signal);
    }
  }

  #heard({ attempt, key, isEnd }: Report): void {
    const { journal, log } = this.#options;
    if (isEnd) this.#endsSaid.add(attempt);
    else this.#said = key;
    try {
      if (isEnd) journal.told(attempt);
    } catch (error) {
      log.warn('firmware.not_kept', { message: 'after a restart this is said again', reason: messageOf(error) });
    }
    this.changed();
  }

  #next(also = false): Report | undefined {
    const { journal, running, version } = this.#options;
    const speaker = { version: running?.version ?? version, counter: running?.counter ?? 0 };
    const ended = journal.ended.find(({ told, attempt }) => !told && !this.#endsSaid.has(attempt));
    if (ended) {
      const { attempt, state, failure, reason } = ended;
      const why = { ...(failure && { failure }), ...(reason !== undefined && { reason }) };
      return { attempt, status: { state, ...speaker, ...why }, key: `${attempt} ${state}`, isEnd: true };
    }
    const { update } = journal;
    // A version that has just been started has not yet seen what it is.
    if (!update || (update.state === 'RESTARTING' && !this.#restarts)) return undefined;
    // It is back, and is about to find out why.
    if (update.state === 'HEALTH_CHECK' && running?.counter !== update.counter) return undefined;
    const { attempt, state, bytes, size } = update;
    const about = this.#aboutNow(state, bytes);
    const step =
      state === 'DOWNLOADING' && size > 0
        ? Math.min(STEPS_OF_PROGRESS - 1, Math.floor((bytes / size) * STEPS_OF_PROGRESS))
        : 0;
    const key = `${attempt} ${state} ${about.failure ?? step}`;
    if (key === this.#said && !also) return undefined;
    return { attempt, status: { state, ...speaker, ...about }, key, isEnd: false };
  }

  #aboutNow(state: UpdateState, bytes: number): Partial<Status> {
    if (state === 'DOWNLOADING') return { bytes };
    return state === 'WAITING' && this.#waitsFor ? this.#waitsFor : {};
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#listeners.add(done);
      signal.addEventListener('abort', done);
    });
  }
}
