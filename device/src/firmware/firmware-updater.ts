import type { DesiredFirmware } from '@thingstead/contracts/firmware';
import { Backoff } from '../backoff.ts';
import { pause } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import { FetchImage } from './fetch-image.ts';
import { checkImage } from './image-file.ts';
import { obstacle } from './preconditions.ts';
import { TrialRun } from './trial-run.ts';
import { imageFile, isBeforeRestart, type UpdateContext, UpdateFailed } from './update-context.ts';
import type { Update } from './update-journal.ts';
import type { UpdateReports } from './update-reports.ts';

const RETRIES = { baseMs: 1_000, capMs: 300_000, stableMs: 600_000 };
/** How often room and battery are looked at, and how long they are waited for. */
const LOOK_MS = 60_000;
const MAX_WAIT_MS = 24 * 3_600_000;
const DISK_ERRORS = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG', 'EMFILE'];

/**
 * Takes the device from one version to the next, step by step; each step stands in the journal, on the disk, before the next begins.
 * Whatever ends it, it goes on from there, in this version or another. It never rejects and never says what is not certain.
 */
export class FirmwareUpdater {
  readonly #context: UpdateContext;
  readonly #reports: UpdateReports;
  readonly #fetch: FetchImage;
  readonly #trial: TrialRun;
  readonly #retries = new Backoff(RETRIES);
  #desired: DesiredFirmware | undefined;
  #news = new AbortController();
  /** Of the update under way, as long as it may be given up. */
  #work = new AbortController();
  #waitingSince: number | undefined;

  constructor(context: UpdateContext, reports: UpdateReports) {
    this.#context = context;
    this.#reports = reports;
    this.#fetch = new FetchImage(context);
    this.#trial = new TrialRun(context, reports);
  }

  /** What the cloud wants now; undefined: nothing. An update that is no longer wanted is given up, unless the restart has begun. */
  wanted(desired: DesiredFirmware | undefined): void {
    this.#desired = desired;
    const { update } = this.#context.journal;
    const isWanted = desired !== undefined && !desired.cancelled && desired.attempt === update?.attempt;
    if (update && !isWanted && isBeforeRestart(update)) {
      this.#work.abort(new UpdateFailed('cancelled', 'it is no longer wanted'));
    }
    this.#news.abort();
  }

  /** Works until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, journal } = this.#context;
    const reporting = this.#reports.run(signal);
    while (!signal.aborted) {
      this.#news = new AbortController();
      const { update } = journal;
      try {
        if (update) await this.#step(update, signal);
        else await this.#begin(signal);
      } catch (error) {
        if (signal.aborted) break;
        const retryInMs = this.#retries.nextAt(clock.uptime());
        log.error('firmware.stuck', { state: update?.state, reason: messageOf(error), retryInMs });
        await pause(clock, retryInMs, signal);
      }
    }
    await reporting;
  }

  /** Begins what is wanted; without that, waits for news. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { journal, fs, installer, running, log } = this.#context;
    fs.removeAll(imageFile(this.#context));
    const desired = this.#desired;
    const news = AbortSignal.any([this.#news.signal, signal]);
    if (!desired || desired.cancelled || journal.ended.some(({ attempt }) => attempt === desired.attempt)) {
      return aborted(news);
    }
    // What has ended is said before something else begins: the version that speaks is still the one it is about.
    if (!this.#reports.isSilent) return this.#reports.silent(news);
    const { attempt, product, version, counter, size } = desired;
    log.info('firmware.wanted', { attempt, version, counter });
    if (running?.product === product && running.counter === counter && (await installer.isGood())) {
      journal.end(attempt, 'COMMITTED');
    } else {
      journal.keep({ attempt, product, version, counter, size, state: 'WAITING', bytes: 0, switches: 0 });
      this.#work = new AbortController();
      this.#waitingSince = undefined;
    }
    this.#reports.changed();
  }

  async #step(update: Update, signal: AbortSignal): Promise<void> {
    const { journal, log } = this.#context;
    const { attempt, state } = update;
    log.debug('firmware.step', { attempt, state });
    try {
      if (!isBeforeRestart(update)) await this.#trial.step(update, signal);
      else await this.#prepare(update, AbortSignal.any([signal, this.#work.signal]));
    } catch (error) {
      if (signal.aborted) return;
      const failed = this.#work.signal.aborted && isBeforeRestart(update) ? this.#work.signal.reason : error;
      if (!(failed instanceof UpdateFailed)) throw failed;
      const { failure, message: reason } = failed;
      log.error('firmware.failed', { attempt, state, failure, reason });
      journal.end(attempt, 'FAILED', failure, reason);
    }
    this.#reports.changed();
  }

  /** All that happens while nothing of the new version can be started. */
  async #prepare(update: Update, signal: AbortSignal): Promise<void> {
    const { journal } = this.#context;
    signal.throwIfAborted();
    switch (update.state) {
      case 'WAITING': {
        if (!(await this.#mayBegin(update, signal))) return;
        return journal.keep(await this.#fetch.begin(update, signal));
      }
      case 'DOWNLOADING':
        return this.#download(update, signal);
      case 'VERIFYING':
        return this.#verify(update);
      default:
        return this.#install(update, signal);
    }
  }

  async #mayBegin(update: Update, signal: AbortSignal): Promise<boolean> {
    const { installer, clock } = this.#context;
    const problem = await installer.problem();
    if (problem !== undefined) throw new UpdateFailed('installer', problem);
    const wait = this.#obstacle(update.size + installer.roomFor(update.size));
    this.#reports.waitsFor(wait);
    if (!wait) return true;
    this.#waitingSince ??= clock.uptime();
    if (clock.uptime() - this.#waitingSince > MAX_WAIT_MS) throw new UpdateFailed(wait.failure, wait.reason);
    await pause(clock, LOOK_MS, signal);
    return false;
  }

  async #download(update: Update, signal: AbortSignal): Promise<void> {
    const { journal, installer } = this.#context;
    const begun = await this.#fetch.begin(update, signal);
    const wait = this.#obstacle(begun.size - begun.bytes + installer.roomFor(begun.size));
    if (wait) throw new UpdateFailed(wait.failure, wait.reason);
    journal.keep(begun);
    let last = begun;
    const synced = (bytes: number): void => {
      last = { ...begun, bytes };
      journal.keep(last);
      this.#reports.changed();
    };
    const whole = await this.#fetch.attempt(begun, synced, signal).catch(storage);
    if (whole) journal.keep({ ...last, state: 'VERIFYING' });
  }

  async #verify(update: Update): Promise<void> {
    const { journal, fs } = this.#context;
    const { size, sha256 = '' } = update;
    const checked = await checkImage(fs, imageFile(this.#context), { size, sha256 }).catch(storage);
    if (!checked.ok) throw new UpdateFailed(checked.failure, checked.reason);
    journal.keep({ ...update, state: 'INSTALLING' });
  }

  async #install(update: Update, signal: AbortSignal): Promise<void> {
    const { journal, installer, trust } = this.#context;
    const { size, sha256 = '', product, version, counter } = update;
    const image = { file: imageFile(this.#context), size, sha256 };
    const slot = await installer.install(image, signal).catch(storage);
    trust.installed(slot, { product, version, counter });
    journal.keep({ ...update, slot, state: 'RESTARTING' });
  }

  #obstacle(bytes: number) {
    const { fs, folder, settings } = this.#context;
    const { minFreeBytes, battery } = settings;
    return obstacle({ fs, folder, minFreeBytes, battery }, bytes);
  }
}

/** An error of the disk, or of the installer, ends the update; nothing was switched. */
function storage(cause: unknown): never {
  if (cause instanceof UpdateFailed) throw cause;
  const { code } = cause as NodeJS.ErrnoException;
  throw new UpdateFailed(DISK_ERRORS.includes(code ?? '') ? 'storage' : 'installer', messageOf(cause), { cause });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
