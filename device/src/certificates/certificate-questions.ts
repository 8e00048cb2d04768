import { CertificateAnswer, CertificateRejection, type CertificateRequest } from '@thingstead/contracts/certificates';
import { certificateTopic } from '@thingstead/contracts/topics';
import { type Clock, pause } from '../clock.ts';
import { parseMessage } from '../parse-message.ts';
import type { Session } from '../session.ts';

/** A function that starts cold, signs and activates takes a few seconds. */
const ANSWER_MS = 60_000;

export type Answered =
  | { readonly kind: 'accepted'; readonly answer: CertificateAnswer }
  | { readonly kind: 'rejected'; readonly rejection: CertificateRejection }
  | { readonly kind: 'unanswered' };

/** Questions about the certificate over one session, one at a time. Answers to earlier ones, which may come late or twice, are passed over. */
export class CertificateQuestions {
  readonly #topic: string;
  readonly #session: Session;
  readonly #clock: Clock;
  #take: ((answered: Answered) => void) | undefined;

  constructor(thing: string, session: Session, clock: Clock) {
    this.#topic = certificateTopic(thing);
    this.#session = session;
    this.#clock = clock;
    session.onMessage((topic, payload) => this.#heard(topic, payload));
  }

  /**
   * Never rejects.
   *
   * @param isOurs whether an answer is to this question.
   */
  async ask(
    request: CertificateRequest,
    isOurs: (answer: CertificateAnswer) => boolean,
    over: AbortSignal,
  ): Promise<Answered> {
    const done = new AbortController();
    let answered: Answered = { kind: 'unanswered' };
    this.#take = (heard) => {
      if (heard.kind === 'accepted' && (heard.answer.type !== request.type || !isOurs(heard.answer))) return;
      // A message that could not be read is answered without its type.
      if (heard.kind === 'rejected' && ![request.type, 'unknown'].includes(heard.rejection.type)) return;
      answered = heard;
      done.abort();
    };
    await this.#session.publish(this.#topic, Buffer.from(JSON.stringify(request)));
    await pause(this.#clock, ANSWER_MS, AbortSignal.any([over, done.signal]));
    this.#take = undefined;
    return answered;
  }

  #heard(topic: string, payload: Buffer): void {
    if (topic === `${this.#topic}/accepted`) {
      const answer = parseMessage(CertificateAnswer, payload);
      if (answer.ok) this.#take?.({ kind: 'accepted', answer: answer.value });
    } else if (topic === `${this.#topic}/rejected`) {
      const rejection = parseMessage(CertificateRejection, payload);
      if (rejection.ok) this.#take?.({ kind: 'rejected', rejection: rejection.value });
    }
  }
}
