import { type FirmwareTrust, FirmwareVersion, Product, SignedDocument } from '@thingstead/contracts/firmware';
import { validate } from '@thingstead/contracts/validate';
import { acceptTrust, readTrust, type TrustResult } from '@thingstead/crypto/firmware-trust';
import * as v from 'valibot';
import type { FirmwareFileSystem } from './firmware-file-system.ts';
import { RecordPair } from './record-pair.ts';

/** A trust document with as many keys and signatures as there may be takes a quarter of it. */
const BYTES = 32 * 1024;

const Counter = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const Release = v.object({ product: Product, version: FirmwareVersion, counter: Counter });
/** What stands in a slot. */
export type Release = v.InferOutput<typeof Release>;

const Content = v.object({
  trust: SignedDocument,
  /** The highest counter that was ever committed, by product. */
  highest: v.record(v.string(), Counter),
  /** What was installed, by slot. */
  slots: v.record(v.string(), Release),
});
type Content = v.InferOutput<typeof Content>;

/**
 * Whom the device trusts, how far it has come, and what is in its slots. It lies with the agent's state and not in a slot, so that no
 * update takes it back.
 */
export class TrustStore {
  readonly #pair: RecordPair;
  #content: Content;
  #trust: FirmwareTrust;

  /**
   * @param installed the trust document that came with the device; a newer one than is known is taken from it.
   * @throws Error when it is no good trust document.
   */
  constructor(fs: FirmwareFileSystem, directory: string, installed: unknown) {
    this.#pair = new RecordPair(fs, directory, 'trust', BYTES);
    const first = readTrust(installed);
    if (!first.ok) throw new Error(`the first trust document is ${first.failure}: ${first.reason}`);
    const kept = validate(Content, this.#pair.read());
    const known = kept.ok ? readTrust(kept.value.trust) : undefined;
    const { highest, slots } = kept.ok ? kept.value : { highest: {}, slots: {} };
    if (kept.ok && known?.ok && known.trust.version >= first.trust.version) {
      this.#trust = known.trust;
      this.#content = kept.value;
    } else {
      this.#trust = first.trust;
      this.#content = { trust: v.parse(SignedDocument, installed), highest, slots };
    }
  }

  get trust(): FirmwareTrust {
    return this.#trust;
  }

  /** As it was signed. */
  get document(): SignedDocument {
    return this.#content.trust;
  }

  highestOf(product: string): number {
    return Object.hasOwn(this.#content.highest, product) ? (this.#content.highest[product] ?? 0) : 0;
  }

  /** Undefined for what is from no release. */
  inSlot(slot: string): Release | undefined {
    return Object.hasOwn(this.#content.slots, slot) ? this.#content.slots[slot] : undefined;
  }

  /**
   * Takes the next trust document, and the highest counter back to what runs. On the disk when it returns.
   *
   * @throws the error of the system.
   */
  accept(next: SignedDocument, running: Release | undefined): TrustResult {
    const accepted = acceptTrust(this.#trust, next);
    if (!accepted.ok) return accepted;
    const highest = running ? { [running.product]: running.counter } : {};
    this.#write({ ...this.#content, trust: next, highest });
    this.#trust = accepted.trust;
    return accepted;
  }

  /** Before the slot is started for the first time. @throws the error of the system. */
  installed(slot: string, release: Release): void {
    this.#write({ ...this.#content, slots: { ...this.#content.slots, [slot]: release } });
  }

  /** What is in the slot stays: nothing older is taken from now on. @throws the error of the system. */
  committed({ product, counter }: Pick<Release, 'product' | 'counter'>): void {
    const highest = Math.max(this.highestOf(product), counter);
    this.#write({ ...this.#content, highest: { ...this.#content.highest, [product]: highest } });
  }

  #write(content: Content): void {
    this.#pair.prepare();
    this.#pair.write(content);
    this.#content = content;
  }
}
