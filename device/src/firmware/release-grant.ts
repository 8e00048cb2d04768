import { isDeepStrictEqual } from 'node:util';
import type { FirmwareManifest, SignedDocument } from '@thingstead/contracts/firmware';
import { checkRelease } from '@thingstead/crypto/firmware-release';
import { Backoff } from '../backoff.ts';
import { pause } from '../clock.ts';
import type { Grant } from './firmware-cloud.ts';
import { type UpdateContext, UpdateFailed } from './update-context.ts';

const PAUSES = { baseMs: 2_000, capMs: 600_000, stableMs: 1_200_000 };
/** An answer that was late may be of the request before. */
const MAX_STALE = 3;
/** A clock that says less was never set: with it nothing has expired. */
const EARLIEST = Date.parse('2026-01-01T00:00:00Z');

/** Leave to fetch one image. */
export interface Lease {
  readonly manifest: FirmwareManifest;
  readonly url: string;
  readonly etag: string;
  /** Epoch milliseconds; to be begun with before. */
  readonly expiresAt: number;
}

/**
 * Asks the cloud for leave to download, and checks all that it signs: whom to trust, that this is for this device and request, and that
 * the release is for it. Nothing of the image is fetched before.
 */
export class ReleaseGrant {
  readonly #context: UpdateContext;
  readonly #pauses = new Backoff(PAUSES);

  constructor(context: UpdateContext) {
    this.#context = context;
  }

  /**
   * Asks until there is an answer.
   *
   * @throws (rejects) UpdateFailed, by the name of the attack where it looks like one. When the signal is aborted: its reason.
   */
  async lease(attempt: string, signal: AbortSignal): Promise<Lease> {
    const { cloud, clock, log, randomId } = this.#context;
    for (let stale = 0; ; ) {
      await cloud.connected(signal);
      signal.throwIfAborted();
      const nonce = randomId();
      const result = await cloud.ask(attempt, nonce, signal);
      signal.throwIfAborted();
      if (result.kind === 'granted') {
        const { grant } = result;
        const checked = this.#check(attempt, nonce, grant);
        if (checked.ok) {
          const { url, etag, expiresAt } = grant;
          return { manifest: checked.manifest, url, etag, expiresAt };
        }
        stale += 1;
        if (checked.failure !== 'freeze' || stale > MAX_STALE) throw new UpdateFailed(checked.failure, checked.reason);
        log.warn('firmware.stale', { attempt, reason: checked.reason });
      } else if (result.kind === 'rejected') {
        const { code, reason, retry } = result.rejection;
        if (!retry) throw new UpdateFailed('no-grant', `${code}: ${reason}`);
        log.info('firmware.not_yet', { attempt, code, reason });
      }
      await pause(clock, this.#pauses.nextAt(clock.uptime()), signal);
    }
  }

  #check(attempt: string, nonce: string, { assignment, release, trust: documents }: Grant) {
    const { thing, hardwareRevision, settings, trust, running, clock } = this.#context;
    const { product } = settings;
    if (clock.now() < EARLIEST) {
      return { ok: false, failure: 'freeze', reason: "the device's clock is not set" } as const;
    }
    const refused = this.#takeTrust(documents);
    if (refused) return refused;
    const counter = running?.product === product ? running.counter : 0;
    return checkRelease({
      trust: trust.trust,
      assignment,
      release,
      asked: { thing, attempt, nonce },
      device: { product, hardwareRevision, counter, highestCounter: trust.highestOf(product) },
      now: clock.now(),
    });
  }

  /** Takes the documents after the one that is known; each is on the disk before the next is looked at. */
  #takeTrust(documents: readonly SignedDocument[]) {
    const { trust, running, trustChanged, log } = this.#context;
    const known = documents.findLastIndex((each) => isDeepStrictEqual(each, trust.document));
    for (const document of documents.slice(known + 1)) {
      const accepted = trust.accept(document, running);
      if (!accepted.ok) return accepted;
      log.info('firmware.trust', { version: accepted.trust.version });
      trustChanged();
    }
    return undefined;
  }
}
