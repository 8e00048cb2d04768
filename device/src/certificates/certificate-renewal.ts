import { CertificateWanted } from '@thingstead/contracts/certificates';
import { certificateTopic } from '@thingstead/contracts/topics';
import { Backoff } from '../backoff.ts';
import { type Clock, pause } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { Identity } from '../identity.ts';
import type { Log } from '../log.ts';
import { parseMessage } from '../parse-message.ts';
import type { Connect, Session } from '../session.ts';
import type { SessionPart } from '../session-part.ts';
import { problemOf } from './certificate-check.ts';
import { CertificateQuestions } from './certificate-questions.ts';
import type { Identities } from './identities.ts';
import type { NewKey } from './new-key.ts';
import type { Expired, Recovered } from './renewal-over-https.ts';
import { renewalTime } from './renewal-time.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How long it waits after a rejection. */
const AFTER_REJECTION_MS = {
  pending: HOUR_MS,
  busy: HOUR_MS,
  'not-due': DAY_MS,
  refused: DAY_MS,
  invalid: DAY_MS,
  'not-the-new-one': HOUR_MS,
} as const;

export interface CertificateRenewalOptions {
  readonly thing: string;
  readonly identities: Identities;
  /** Connects with one of the identities. */
  readonly connectWith: (identity: Identity) => Connect;
  /** Days before the expiry; a third of the life unless it is given. */
  readonly beforeDays?: number | undefined;
  readonly newKey: (thing: string) => Promise<NewKey>;
  /** Asks for a certificate without a connection; absent when there is no address for it. */
  readonly recover?: ((expired: Expired, signal: AbortSignal) => Promise<Recovered>) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Renews the device's certificate. A new key is on the disk before the cloud hears of it, and its certificate before it is tried. Then the connection is
 * ended, and the next one is with the new pair, on trial: when the cloud has answered over it that the old one is retired, it is the one in use. Until then
 * both pairs are there: when one does not connect, the next attempt is with the other. It connects with one of them at a time.
 */
export class CertificateRenewal implements SessionPart {
  readonly filters: readonly string[];
  readonly #options: CertificateRenewalOptions;
  readonly #trials: Backoff;
  readonly #questions: Backoff;
  readonly #connects = new Map<string, Connect>();
  /** Which session is with the pair on trial. */
  #onTrial: string | undefined;
  /** Until then, on the monotonic clock, the pair on trial rests, unless the present one does not connect either. */
  #restsUntil = Number.NEGATIVE_INFINITY;
  #presentFailed = false;
  #wanted: number | undefined;
  #wake = new AbortController();

  /** @throws ConfigurationError when the present identity cannot be used: its token does not let the agent in. */
  constructor(options: CertificateRenewalOptions) {
    this.#options = options;
    const topic = certificateTopic(options.thing);
    this.filters = options.identities.canRenew
      ? ['accepted', 'rejected', 'wanted'].map((each) => `${topic}/${each}`)
      : [];
    this.#trials = new Backoff({ baseMs: MINUTE_MS, capMs: DAY_MS, stableMs: DAY_MS });
    this.#questions = new Backoff({ baseMs: MINUTE_MS, capMs: 6 * HOUR_MS, stableMs: HOUR_MS });
    this.#connectWith(options.identities.present);
  }

  /** Connects with the pair that is to be tried, or with the one in use. */
  readonly connect: Connect = async (signal) => {
    const { identities, clock, log } = this.#options;
    await this.#recover(signal);
    const { trial } = identities;
    const isTrial = trial !== undefined && (this.#presentFailed || clock.uptime() >= this.#restsUntil);
    try {
      const session = await this.#connectWith(isTrial ? trial : identities.present)(signal);
      this.#presentFailed = false;
      this.#onTrial = isTrial ? session.id : undefined;
      return session;
    } catch (error) {
      if (signal.aborted) throw error;
      // After a trial that failed the present one has its turn.
      this.#presentFailed = !isTrial;
      if (isTrial) {
        const restMs = this.#trials.nextAt(clock.uptime());
        this.#restsUntil = clock.uptime() + restMs;
        log.warn('certificate.trial_failed', { message: 'the present one goes on', reason: messageOf(error), restMs });
      }
      throw error;
    }
  };

  on(session: Session, subscribed: () => Promise<boolean>, over: AbortSignal): void {
    if (!this.#options.identities.canRenew) return;
    session.onMessage((topic, payload) => {
      if (topic === this.filters[2]) this.#heardWish(payload);
    });
    const questions = new CertificateQuestions(this.#options.thing, session, this.#options.clock);
    void this.#work(session, questions, subscribed, over);
  }

  async #work(
    session: Session,
    questions: CertificateQuestions,
    subscribed: () => Promise<boolean>,
    over: AbortSignal,
  ): Promise<void> {
    const { clock, log } = this.#options;
    while (!over.aborted) {
      const isTrial = this.#onTrial === session.id;
      const dueInMs = isTrial ? 0 : this.#dueInMs();
      if (dueInMs > 0) {
        // An hour at most: the clock of the device may be set meanwhile, and timers end at 24 days.
        await this.#pause(Math.min(dueInMs, HOUR_MS), over);
        continue;
      }
      let waitMs: number;
      try {
        if (!(await subscribed())) waitMs = HOUR_MS;
        else if (over.aborted) return;
        else if (isTrial) waitMs = await this.#confirm(questions, over);
        else waitMs = await this.#ask(session, questions, over);
      } catch (error) {
        const message = 'the next certificate cannot be kept; it is tried again in an hour';
        log.error('certificate.not_kept', { message, reason: messageOf(error) });
        waitMs = HOUR_MS;
      }
      if (waitMs > 0) await pause(clock, waitMs, over);
    }
  }

  /** Milliseconds until there is something to ask over the pair in use. */
  #dueInMs(): number {
    const { thing, identities, beforeDays, clock } = this.#options;
    if (identities.trial) return Math.max(0, this.#restsUntil - clock.uptime());
    if (identities.next || this.#isWanted()) return 0;
    return Math.max(0, renewalTime(thing, identities.present, beforeDays) - clock.now());
  }

  #isWanted(): boolean {
    return this.#wanted !== undefined && this.#wanted > (this.#options.identities.wantedAt ?? 0);
  }

  /** @returns how long to wait before the next question. @throws the error of the disk */
  async #ask(session: Session, questions: CertificateQuestions, over: AbortSignal): Promise<number> {
    const { thing, identities, clock, log } = this.#options;
    const next = identities.next ?? (await this.#newNext());
    if (over.aborted) return 0;
    const check = (certificate: string): string | undefined =>
      problemOf(certificate, { thing, key: next.key, present: identities.present.certificate, now: clock.now() });
    log.info('certificate.renewing', { notAfter: identities.present.notAfter });
    const request = { type: 'renew', ...(next.csr !== undefined && { csr: next.csr }) } as const;
    const answered = await questions.ask(
      request,
      // What an earlier question has asked for, for another key, is no answer to this one.
      (answer) => answer.type === 'renew' && check(answer.certificate) !== 'it is for another key',
      over,
    );
    if (answered.kind === 'unanswered') return this.#questions.nextAt(clock.uptime());
    if (answered.kind === 'rejected') return this.#rejected(answered.rejection);
    if (answered.answer.type !== 'renew') return MINUTE_MS;
    const { certificate } = answered.answer;
    const problem = check(certificate);
    if (problem !== undefined) {
      log.error('certificate.not_taken', {
        message: 'the cloud has sent a certificate that is not good',
        reason: problem,
      });
      return DAY_MS;
    }
    if (certificate !== next.certificate) identities.putNext({ ...next, certificate });
    this.#restsUntil = Number.NEGATIVE_INFINITY;
    log.info('certificate.trying', { message: 'the connection is made anew, with the new certificate' });
    await session.disconnect();
    return 0;
  }

  async #newNext(): Promise<{ key?: string; csr?: string; certificate?: string }> {
    const { thing, identities, newKey } = this.#options;
    // A key in a token stays there: it gets a new certificate.
    const next = identities.present.key.kind === 'token' ? {} : await newKey(thing);
    identities.putNext(next);
    return next;
  }

  #rejected({ code, reason }: { code: keyof typeof AFTER_REJECTION_MS; reason: string }): number {
    const { identities, log } = this.#options;
    const retryInMs = AFTER_REJECTION_MS[code];
    const isExpected = code === 'pending' || code === 'busy' || code === 'not-due';
    log[isExpected ? 'info' : 'error']('certificate.not_renewed', { code, reason, retryInMs });
    // Nothing was issued for it.
    if (code === 'invalid' && !identities.trial) identities.dropNext();
    return retryInMs;
  }

  /** @returns how long to wait before it is said again. @throws the error of the disk */
  async #confirm(questions: CertificateQuestions, over: AbortSignal): Promise<number> {
    const { identities, clock, log } = this.#options;
    const answered = await questions.ask({ type: 'confirm' }, () => true, over);
    if (answered.kind === 'rejected') return this.#rejected(answered.rejection);
    if (answered.kind === 'unanswered') return this.#questions.nextAt(clock.uptime());
    identities.commit(this.#wanted ?? identities.wantedAt);
    this.#onTrial = undefined;
    log.info('certificate.renewed', { notAfter: identities.present.notAfter });
    return 0;
  }

  /** Gets the next certificate without a connection when the present one has expired, by the clock of the device. */
  async #recover(signal: AbortSignal): Promise<void> {
    const { identities, clock, recover, log } = this.#options;
    const { present, trial, canRenew } = identities;
    // The pair on trial first: the cloud may have given it the name, and its answer was lost.
    const pairs = trial ? [trial, present] : [present];
    if (!recover || !canRenew || pairs.some(({ notAfter }) => clock.now() <= notAfter.getTime())) return;
    try {
      for (const { certificate, key } of pairs) {
        const next = identities.next ?? (await this.#newNext());
        const recovered = await recover({ certificate, key, csr: next.csr, at: clock.now() }, signal);
        const { thing } = this.#options;
        const problem = recovered.ok
          ? problemOf(recovered.certificate, { thing, key: next.key, present: certificate, now: clock.now() })
          : recovered.reason;
        if (recovered.ok && problem === undefined) {
          identities.putNext({ ...next, certificate: recovered.certificate });
          this.#restsUntil = Number.NEGATIVE_INFINITY;
          log.info('certificate.recovered', { message: 'the certificate had expired; there is a new one' });
          return;
        }
        log.warn('certificate.not_recovered', { message: 'the certificate has expired', reason: problem });
      }
    } catch (error) {
      log.error('certificate.not_kept', { message: 'the next certificate cannot be kept', reason: messageOf(error) });
    }
  }

  #heardWish(payload: Buffer): void {
    const wish = parseMessage(CertificateWanted, payload);
    if (!wish.ok) return;
    this.#wanted = Math.max(this.#wanted ?? 0, wish.value.at);
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  #pause(ms: number, over: AbortSignal): Promise<void> {
    return pause(this.#options.clock, ms, AbortSignal.any([over, this.#wake.signal]));
  }

  #connectWith(identity: Identity): Connect {
    const { certificate } = identity;
    const known = this.#connects.get(certificate);
    if (known) return known;
    const made = this.#options.connectWith(identity);
    // Only those that can still be needed: each holds a TLS context.
    const { present, next } = this.#options.identities;
    for (const each of this.#connects.keys()) {
      if (each !== present.certificate && each !== next?.certificate) this.#connects.delete(each);
    }
    this.#connects.set(certificate, made);
    return made;
  }
}
