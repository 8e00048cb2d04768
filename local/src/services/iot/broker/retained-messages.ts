import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { IotMessage } from '../types.ts';
import { expiresAt } from './properties.ts';

/**
 * One message per topic, kept until it is replaced, deleted by an empty one, or expires
 * (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt-retain).
 */
export class RetainedMessages {
  readonly #messages = new Map<string, IotMessage>();

  /** Takes note of a message that was published with the RETAIN flag. */
  store(message: IotMessage): void {
    if (message.payload.length === 0) this.#messages.delete(message.topic);
    else this.#messages.set(message.topic, message);
  }

  *save(): Generator<KeptRecord> {
    for (const message of this.#messages.values()) yield [`retained/${message.topic}`, message, message];
  }

  restore(records: KeptRecords): void {
    for (const message of records.all<IotMessage>('retained/')) this.#messages.set(message.topic, message);
  }

  find(topic: string, now: number): IotMessage | undefined {
    const message = this.#messages.get(topic);
    if (!message || (expiresAt(message) ?? Number.POSITIVE_INFINITY) > now) return message;
    this.#messages.delete(topic);
    return undefined;
  }

  /** All that have not expired, by topic. */
  list(now: number): readonly IotMessage[] {
    return [...this.#messages.keys()].sort().flatMap((topic) => this.find(topic, now) ?? []);
  }
}
