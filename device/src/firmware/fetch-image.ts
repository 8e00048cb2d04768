import { Backoff } from '../backoff.ts';
import { pause } from '../clock.ts';
import { type DownloadResult, downloadImage } from './download.ts';
import { type Lease, ReleaseGrant } from './release-grant.ts';
import { imageFile, type UpdateContext, UpdateFailed } from './update-context.ts';
import type { Update } from './update-journal.ts';

const PAUSES = { baseMs: 2_000, capMs: 300_000, stableMs: 1_200_000 };
/** 1 KiB a second: less is no network but somebody who holds the device up. */
const SLOWEST = { bytes: 60 * 1024, windowMs: 60_000 };
/** So many tries in a row may bring less than that. */
const MAX_TRIES = 8;

/** Fetches the image of an update, try after try, over the end of connections, grants and processes. */
export class FetchImage {
  readonly #context: UpdateContext;
  readonly #grant: ReleaseGrant;
  readonly #pauses = new Backoff(PAUSES);
  #lease: { readonly attempt: string; readonly lease: Lease } | undefined;
  #tries = 0;

  constructor(context: UpdateContext) {
    this.#context = context;
    this.#grant = new ReleaseGrant(context);
  }

  /**
   * Asks for leave, and gives the update as the release says it is. A part of another image is thrown away.
   *
   * @throws (rejects) UpdateFailed; the reason of the signal.
   */
  async begin(update: Update, signal: AbortSignal): Promise<Update> {
    const { fs } = this.#context;
    const { attempt } = update;
    const kept = this.#lease?.attempt === attempt && this.#isGood(this.#lease.lease) ? this.#lease.lease : undefined;
    const lease = kept ?? (await this.#grant.lease(attempt, signal));
    this.#lease = { attempt, lease };
    const { version, counter, size, sha256, product } = lease.manifest;
    const about = { ...update, product, version, counter, size, sha256, state: 'DOWNLOADING' as const };
    if (update.sha256 === sha256 && update.etag === lease.etag) return about;
    fs.removeAll(imageFile(this.#context));
    return { ...about, bytes: 0, etag: lease.etag };
  }

  /**
   * Makes one try. True when the image is there.
   *
   * @param synced told how much of it is there for certain.
   * @throws (rejects) UpdateFailed when another would do no better; the reason of the signal; the error of the system.
   */
  async attempt(update: Update, synced: (bytes: number) => void, signal: AbortSignal): Promise<boolean> {
    const { get, fs, clock, log, cloud } = this.#context;
    const { lease } = this.#lease ?? {};
    if (!lease) return false;
    const file = imageFile(this.#context);
    const entry = fs.entry(file);
    const from = Math.min(update.bytes, entry?.kind === 'file' ? entry.size : 0);
    const { url, etag } = lease;
    let reached = from;
    const result = await downloadImage({
      ...{ get, fs, clock, url, etag, size: update.size, file, from, slowest: SLOWEST, signal },
      synced: (bytes) => {
        reached = bytes;
        synced(bytes);
      },
    });
    signal.throwIfAborted();
    if (result.kind === 'whole') return true;
    log.warn('firmware.download_cut', { attempt: update.attempt, bytes: reached, ...result });
    if (result.kind === 'refused') throw new UpdateFailed(result.failure, result.reason);
    if (result.kind === 'expired') this.#lease = undefined;
    if (result.kind === 'cut' && result.startOver) synced(0);
    this.#tries = reached - from >= SLOWEST.bytes ? 0 : this.#tries + 1;
    // Without any network it is not the server's doing.
    if (!cloud.isConnected) this.#tries = 0;
    if (this.#tries >= MAX_TRIES) throw new UpdateFailed(failureOf(result), result.reason);
    await pause(clock, this.#pauses.nextAt(clock.uptime()), signal);
    return false;
  }

  #isGood({ expiresAt }: Lease): boolean {
    return this.#context.clock.now() < expiresAt;
  }
}

function failureOf(result: Exclude<DownloadResult, { kind: 'whole' }>) {
  return result.kind === 'expired' ? 'no-grant' : result.failure;
}
