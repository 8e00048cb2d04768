import { pause } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { TrialFailure } from '../launcher/boot-record.ts';
import { runProgram } from '../run-program.ts';
import { watchHealth } from './health-check.ts';
import { obstacle } from './preconditions.ts';
import type { UpdateContext } from './update-context.ts';
import { UpdateFailed } from './update-context.ts';
import type { Update } from './update-journal.ts';
import type { UpdateReports } from './update-reports.ts';

/** A slot is given to the launcher again when a cut has taken that away, but not for ever. */
const MAX_SWITCHES = 5;
/** How long the report before a restart may take. */
const FAREWELL_MS = 10_000;
/** A restart that has not come after so long is asked for again. */
const RESTART_MS = 300_000;
/** The new version decides before its launcher does. */
const OWN_PART = 0.75;

/**
 * What happens between the switch and the end: the restart, the trial of the new version by itself, and what the old version finds
 * when it is back. Which version runs and which one stays, the installer knows; the journal only says what was meant.
 */
export class TrialRun {
  readonly #context: UpdateContext;
  readonly #reports: UpdateReports;
  #switched = false;

  constructor(context: UpdateContext, reports: UpdateReports) {
    this.#context = context;
    this.#reports = reports;
  }

  /**
   * Makes the next step. Rejects with the error of the system when the disk refuses: nothing is said that is not certain.
   *
   * @throws (rejects) UpdateFailed: the switch cannot be made.
   */
  async step(update: Update, signal: AbortSignal): Promise<void> {
    const { installer, journal } = this.#context;
    const { slot = '', attempt, state } = update;
    if ((await installer.running()) !== slot) return this.#fromOld(update, signal);
    if (await installer.isGood()) return this.#commit(update);
    if ((await installer.trial(slot, attempt)).kind === 'over') return this.#restart(signal);
    if (state === 'RESTARTING') {
      journal.keep({ ...update, state: 'HEALTH_CHECK' });
      this.#reports.changed();
      return;
    }
    const wrong = await this.#watch(signal);
    if (signal.aborted) return;
    if (wrong === undefined) return this.#commit(update);
    this.#context.log.error('firmware.unhealthy', { attempt, reason: wrong });
    await installer.rollBack(slot, attempt, { failure: 'unhealthy', reason: wrong });
    await this.#restart(signal);
  }

  /** The version that runs is the one from before. */
  async #fromOld(update: Update, signal: AbortSignal): Promise<void> {
    const { installer, journal } = this.#context;
    const { slot = '', attempt, state, switches } = update;
    const trial = await installer.trial(slot, attempt);
    if (trial.kind === 'pending' && this.#switched) return this.#restart(signal);
    if (trial.kind === 'none' && state === 'RESTARTING') {
      if (switches >= MAX_SWITCHES) throw new UpdateFailed('installer', 'the switch to the new version does not hold');
      journal.keep({ ...update, switches: switches + 1 });
      await installer.trySwitch(slot, attempt).catch((cause) => {
        throw new UpdateFailed('installer', `the switch to the new version fails: ${messageOf(cause)}`, { cause });
      });
      this.#switched = true;
      this.#reports.restarts();
      return this.#restart(signal);
    }
    const why: TrialFailure =
      trial.kind === 'over' ? trial : { failure: 'does-not-start', reason: 'the new version was not started' };
    const { failure, reason } = why;
    // Only when it is certain that it is over may the cloud hear so.
    await installer.rollBack(slot, attempt, { failure, reason });
    journal.end(attempt, 'ROLLED_BACK', failure, reason);
    this.#context.log.error('firmware.rolled_back', { attempt, failure, reason });
  }

  async #commit({ attempt, product, counter, version }: Update): Promise<void> {
    const { installer, trust, journal, log } = this.#context;
    await installer.commit();
    trust.committed({ product, counter });
    journal.end(attempt, 'COMMITTED');
    log.info('firmware.committed', { attempt, version, counter });
  }

  /** Ends this version, after what is to be said is said; and waits for its end. */
  async #restart(signal: AbortSignal): Promise<void> {
    const { clock, installer, log } = this.#context;
    const done = new AbortController();
    const stop = AbortSignal.any([signal, done.signal]);
    await Promise.race([this.#reports.silent(stop), pause(clock, FAREWELL_MS, stop)]);
    done.abort();
    if (signal.aborted) return;
    log.info('firmware.restarting');
    await installer.restart();
    await pause(clock, RESTART_MS, signal);
  }

  #watch(signal: AbortSignal): Promise<string | undefined> {
    const { clock, settings } = this.#context;
    return watchHealth({
      clock,
      healthyMs: settings.healthSeconds * 1000,
      deadlineMs: settings.trialSeconds * 1000 * OWN_PART,
      problem: () => this.#problem(signal),
      signal,
    });
  }

  async #problem(signal: AbortSignal): Promise<string | undefined> {
    const { cloud, clock, fs, folder, settings } = this.#context;
    const { minFreeBytes, healthCheck } = settings;
    if (!cloud.isConnected) return 'it is not connected to the cloud';
    if (!this.#reports.hasSaid('HEALTH_CHECK')) return 'the cloud has not answered it';
    const full = obstacle({ fs, folder, minFreeBytes }, 0);
    if (full) return full.reason;
    if (!healthCheck) return undefined;
    const timeoutMs = healthCheck.timeoutSeconds * 1000;
    const { command } = healthCheck;
    await runProgram({ command, timeoutMs, maxBytes: 64 * 1024, excess: 'drop', clock, signal });
    return undefined;
  }
}
