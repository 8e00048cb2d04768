import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import { type Clock, pause } from './clock.ts';
import type { Session } from './session.ts';

/** How long the answer to an update may take before it counts as lost. */
const ANSWER_MS = 10_000;
/** https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-error-messages.html: conflict, too many, server trouble. */
const PASSING_CODES: ReadonlySet<number> = new Set([409, 429, 500]);

const Accepted = v.object({
  version: v.pipe(v.number(), v.safeInteger()),
  clientToken: v.optional(v.string()),
  state: v.nullable(v.object({ reported: v.optional(v.nullable(v.record(v.string(), v.unknown()))) })),
});
const Rejected = v.object({ code: v.number(), message: v.optional(v.string()), clientToken: v.optional(v.string()) });

/** An update of the shadow that was accepted, whoever sent it. */
export interface ShadowUpdate {
  /** Rises with every update. */
  readonly version: number;
  readonly token: string | undefined;
  /** The members that it set, null for what it removed; null: all of `reported` was removed; undefined: it is not about `reported`. */
  readonly reported: Readonly<Record<string, unknown>> | null | undefined;
}

export type UpdateAnswer =
  /** `version`: of the shadow, with it. */
  | { readonly kind: 'accepted'; readonly version: number }
  /** `passing`: the same update may be accepted later. */
  | { readonly kind: 'rejected'; readonly passing: boolean; readonly reason: string }
  | { readonly kind: 'unanswered'; readonly reason: string };

export interface DeviceShadowOptions {
  readonly session: Session;
  readonly thing: string;
  readonly clock: Clock;
  /** Told of every accepted update, its own too, perhaps twice and in any order. */
  readonly updated: (update: ShadowUpdate) => void;
}

/** Filters on which the answers come; to be subscribed before the first update. */
export function shadowAnswerTopics(thing: string): readonly string[] {
  return [`${updateTopic(thing)}/accepted`, `${updateTopic(thing)}/rejected`];
}

/**
 * A device's classic shadow over one session: https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-mqtt.html.
 * It writes `reported` only.
 */
export class DeviceShadow {
  readonly #options: DeviceShadowOptions;
  readonly #waiting = new Map<string, (answer: UpdateAnswer) => void>();

  constructor(options: DeviceShadowOptions) {
    this.#options = options;
    options.session.onMessage((topic, payload) => this.#receive(topic, payload));
  }

  /**
   * Updates `reported`. Never rejects. When the signal is aborted it waits no longer than until the broker has the update.
   *
   * @param token at most 64 bytes; comes back in the answer.
   */
  async update(reported: Readonly<Record<string, unknown>>, token: string, signal: AbortSignal): Promise<UpdateAnswer> {
    const { session, thing, clock } = this.#options;
    let answer: UpdateAnswer | undefined;
    const waiting = new AbortController();
    this.#waiting.set(token, (given) => {
      answer = given;
      waiting.abort();
    });
    const payload = Buffer.from(JSON.stringify({ state: { reported }, clientToken: token }));
    const outcome = await session.publish(updateTopic(thing), payload);
    if (outcome.kind === 'acknowledged') await pause(clock, ANSWER_MS, AbortSignal.any([signal, waiting.signal]));
    this.#waiting.delete(token);
    if (answer) return answer;
    if (outcome.kind === 'refused') return { kind: 'rejected', passing: false, reason: outcome.reason };
    const reason = outcome.kind === 'unanswered' ? outcome.reason : `no answer within ${ANSWER_MS / 1000} s`;
    return { kind: 'unanswered', reason };
  }

  #receive(topic: string, payload: Buffer): void {
    const [accepted, rejected] = shadowAnswerTopics(this.#options.thing);
    if (topic === accepted) this.#accept(parse(payload));
    else if (topic === rejected) this.#reject(parse(payload));
  }

  #accept(message: unknown): void {
    const valid = validate(Accepted, message);
    if (!valid.ok) return;
    const { version, clientToken: token, state } = valid.value;
    this.#options.updated({ version, token, reported: state === null ? null : state.reported });
    if (token !== undefined) this.#waiting.get(token)?.({ kind: 'accepted', version });
  }

  #reject(message: unknown): void {
    const valid = validate(Rejected, message);
    if (!valid.ok) return;
    const { code, message: text, clientToken: token } = valid.value;
    const reason = text === undefined ? String(code) : `${code}: ${text}`;
    if (token !== undefined) this.#waiting.get(token)?.({ kind: 'rejected', passing: PASSING_CODES.has(code), reason });
  }
}

/** A topic of the classic shadow: `get`, `update/delta`. */
export function shadowTopic(thing: string, name: string): string {
  return `$aws/things/${thing}/shadow/${name}`;
}

function updateTopic(thing: string): string {
  return shadowTopic(thing, 'update');
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
