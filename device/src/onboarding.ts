import { createHash } from 'node:crypto';
import {
  type Description,
  DescriptionAccepted,
  DescriptionRejected,
  DeviceSettings,
} from '@thingstead/contracts/onboarding';
import { registerTopic } from '@thingstead/contracts/topics';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import { type Clock, pause } from './clock.ts';
import { messageOf } from './configuration-error.ts';
import type { Log } from './log.ts';
import { parseMessage } from './parse-message.ts';
import type { Session } from './session.ts';

/** A description that was rejected is sent again after so long: what was wrong with it may have been in the cloud. */
const AGAIN_AFTER_MS = 24 * 3_600_000;

/** What the agent remembers across restarts. */
const Memory = v.object({
  answered: v.optional(
    v.object({
      /** Which description. */
      id: v.string(),
      accepted: v.boolean(),
      /** Epoch milliseconds. */
      at: v.number(),
    }),
  ),
  settings: v.optional(DeviceSettings, {}),
});
type Memory = v.InferOutput<typeof Memory>;

export interface OnboardingOptions {
  readonly thing: string;
  readonly description: Omit<Description, 'id'>;
  /** Where the answers are kept; without one they are forgotten with the process. */
  readonly store?: { read(): unknown; write(value: unknown): void };
  readonly clock: Clock;
  readonly log: Log;
}

/** Filters on which the answers come. */
export function registerAnswerTopics(thing: string): readonly string[] {
  return [`${registerTopic(thing)}/accepted`, `${registerTopic(thing)}/rejected`];
}

/**
 * Describes the device to the cloud: on its first connection ever, and on a later one when the description has changed since it
 * was last answered. One that is not answered is sent again on the next connection. The settings that come with the
 * answer hold until others come, also across restarts.
 */
export class Onboarding {
  readonly #options: OnboardingOptions;
  /** Of the description's content, so that an answer is known to be about it however late it comes. */
  readonly #id: string;
  #memory: Memory;
  #changed: (() => void) | undefined;

  constructor(options: OnboardingOptions) {
    this.#options = options;
    this.#id = createHash('sha256').update(JSON.stringify(options.description)).digest('hex').slice(0, 32);
    const kept = validate(Memory, options.store?.read());
    this.#memory = kept.ok ? kept.value : { settings: {} };
  }

  /** How the fleet's owner wants the device to work. */
  get settings(): DeviceSettings {
    return this.#memory.settings;
  }

  /** From now on calls this listener, and no other, whenever the settings have changed. */
  onSettings(changed: (() => void) | undefined): void {
    this.#changed = changed;
  }

  /**
   * Uses a session: takes answers, and describes the device when that is due.
   *
   * @param subscribed resolves when the answers are subscribed; false when they cannot be.
   * @param signal aborted when the session is over.
   */
  async on(session: Session, subscribed: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const { thing, clock, log, description } = this.#options;
    const [accepted, rejected] = registerAnswerTopics(thing);
    session.onMessage((topic, payload) => {
      if (topic === accepted) this.#accepted(payload);
      else if (topic === rejected) this.#rejected(payload);
    });
    const payload = Buffer.from(JSON.stringify({ id: this.#id, ...description }));
    for (;;) {
      const dueInMs = this.#dueInMs();
      if (dueInMs === undefined) return;
      if (dueInMs > 0) await pause(clock, dueInMs, signal);
      if (signal.aborted || !(await subscribed()) || signal.aborted) return;
      const { kind } = await session.publish(registerTopic(thing), payload);
      log.info('onboarding.described', { id: this.#id, delivery: kind });
      // On this connection once a day, answered or not.
      await pause(clock, AGAIN_AFTER_MS, signal);
    }
  }

  /** Milliseconds until the description is to be sent, undefined for never. */
  #dueInMs(): number | undefined {
    const { answered } = this.#memory;
    if (answered?.id !== this.#id) return 0;
    if (answered.accepted) return undefined;
    const elapsed = this.#options.clock.now() - answered.at;
    // A board without a clock of its own may find itself before that time.
    return elapsed < 0 ? 0 : Math.max(0, AGAIN_AFTER_MS - elapsed);
  }

  #accepted(payload: Buffer): void {
    const answer = parseMessage(DescriptionAccepted, payload);
    if (!answer.ok) {
      this.#unreadable(payload);
      return;
    }
    const { id, settings } = answer.value;
    // Of another description: one before the last restart. Without an id it is about settings only.
    if (id !== undefined && id !== this.#id) return;
    const before = JSON.stringify(this.settings);
    this.#keep({ ...this.#memory, ...(id !== undefined && this.#answered(true)), settings });
    this.#options.log.info('onboarding.accepted', { ...settings });
    if (JSON.stringify(settings) !== before) this.#changed?.();
  }

  #rejected(payload: Buffer): void {
    const answer = parseMessage(DescriptionRejected, payload);
    if (!answer.ok) {
      this.#unreadable(payload);
      return;
    }
    const { id, reason } = answer.value;
    // One that could not be read has no id in its answer.
    if (id !== undefined && id !== this.#id) return;
    this.#keep({ ...this.#memory, ...this.#answered(false) });
    const message =
      'the cloud does not take the description of this device; it is sent again when it has changed, or in a day';
    this.#options.log.error('onboarding.rejected', { message, reason });
  }

  #answered(accepted: boolean): Pick<Memory, 'answered'> {
    return { answered: { id: this.#id, accepted, at: this.#options.clock.now() } };
  }

  #keep(memory: Memory): void {
    this.#memory = memory;
    try {
      this.#options.store?.write(memory);
    } catch (error) {
      const message = 'the answer of the cloud cannot be kept; after a restart the device describes itself again';
      this.#options.log.warn('onboarding.not_kept', { message, reason: messageOf(error) });
    }
  }

  #unreadable(payload: Buffer): void {
    this.#options.log.warn('onboarding.unreadable', { message: 'this answer is passed over', payload: `${payload}` });
  }
}
