import type { Identity } from '../identity.ts';
import { identityWith, isOfKind } from '../identity.ts';
import type { CertificatePair, CertificateStore, NextCertificate } from './certificate-store.ts';

/** The pairs of a device: the one in use, and the one it is on its way to. What is on the disk is certain before it is used. */
export class Identities {
  readonly #store: CertificateStore | undefined;
  readonly #factory: Identity;
  readonly #thing: string;
  #present: Identity;
  #next: NextCertificate | undefined;
  #wantedAt: number | undefined;

  /** @param factory what the configuration names. @param store without one (no disk) nothing can be renewed. */
  constructor(thing: string, factory: Identity, present: Identity, store: CertificateStore | undefined) {
    this.#thing = thing;
    this.#factory = factory;
    this.#present = present;
    this.#store = store;
    const next = store?.next();
    // What was begun before the key went into a token, or came out of it, is begun anew.
    this.#next = next && isOfKind(factory, next.key) ? next : undefined;
    this.#wantedAt = store?.current()?.wantedAt;
  }

  get canRenew(): boolean {
    return this.#store !== undefined;
  }

  get present(): Identity {
    return this.#present;
  }

  get next(): NextCertificate | undefined {
    return this.#next;
  }

  /** The wish of an operator that was fulfilled last. */
  get wantedAt(): number | undefined {
    return this.#wantedAt;
  }

  /** The next pair, once its certificate is there; undefined too when what is on the disk is no pair of this thing. */
  get trial(): Identity | undefined {
    const { certificate, key } = this.#next ?? {};
    if (certificate === undefined) return undefined;
    try {
      return identityWith(this.#thing, this.#factory, { certificate, ...(key !== undefined && { key }) });
    } catch {
      return undefined;
    }
  }

  /** @throws the error of the disk */
  putNext(next: NextCertificate): void {
    this.#store?.putNext(next);
    this.#next = next;
  }

  /** @throws the error of the disk */
  dropNext(): void {
    this.#store?.dropNext();
    this.#next = undefined;
  }

  /** The pair on trial is the one in use from now on. @throws the error of the disk; it may be called again. */
  commit(wantedAt: number | undefined): void {
    const { trial } = this;
    const { certificate, key } = this.#next ?? {};
    if (!trial || certificate === undefined) return;
    const pair: CertificatePair = {
      certificate,
      ...(key !== undefined && { key }),
      ...(wantedAt !== undefined && { wantedAt }),
    };
    this.#store?.commit(pair);
    this.#present = trial;
    this.#next = undefined;
    this.#wantedAt = wantedAt;
  }
}
