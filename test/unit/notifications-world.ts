/**
 * A world in which notices come twice, invocations overlap and die at any call, calls fail with and without an effect, and SNS
 * refuses or does not answer. The real handler runs in it, on a queue that gives up after five receives. It counts every publish.
 */
import type { SQSEvent } from 'aws-lambda';
import type { Notice } from '../../contracts/src/notices.ts';
import type { DeliveryRow, Target, UnconfirmedDelivery } from '../../contracts/src/notifications.ts';
import { createHandler } from '../../lambda/notifications/handler.ts';
import type { Claim, Person, Ports, Published } from '../../lambda/notifications/ports.ts';
import { seededRandom } from '../../local/src/faults/random.ts';

const SECOND = 1000;
const START = Date.UTC(2026, 10, 21, 12);
const VISIBILITY_MS = 360 * SECOND;
const MAX_RECEIVES = 5;

export interface Harm {
  readonly seed: number;
  /** Probabilities, for each call: the environment dies before or after its effect; it fails with or without one. */
  readonly crash: number;
  readonly fail: number;
  /** For each publish: SNS says no; SNS takes it and nobody hears of it. */
  readonly refuse: number;
  readonly loseAnswer: number;
}

type HandlerPorts = Omit<Ports, 'mayBegin'>;

interface QueuedMessage {
  readonly notice: Notice;
  readonly id: string;
  receives: number;
  visibleAt: number;
}

class HarmError extends Error {}

export class NotificationsWorld {
  now = START;
  /** By notice and person: how often it was published. */
  readonly published = new Map<string, number>();
  readonly unconfirmed = new Set<string>();
  /** Ids of notices that came five times. */
  readonly deadLetters = new Set<string>();
  readonly overLimit = new Set<string>();
  readonly people = new Map<string, Person>();
  readonly #watchers = new Map<string, string[]>();
  readonly #rows = new Map<string, DeliveryRow>();
  readonly #counts = new Map<string, number>();
  readonly #messages: QueuedMessage[] = [];
  readonly #harm: Harm;
  readonly #change: (ports: HandlerPorts) => HandlerPorts;
  readonly #dailyLimit: number;
  readonly #random: () => number;
  #serial = 0;

  constructor(harm: Harm, dailyLimit = 50, change = (ports: HandlerPorts): HandlerPorts => ports) {
    this.#harm = harm;
    this.#dailyLimit = dailyLimit;
    this.#change = change;
    this.#random = seededRandom(harm.seed);
  }

  /** A person who watches these. */
  add(id: string, targets: readonly Target[], person: Partial<Person> = {}): void {
    this.people.set(id, { topicArn: `topic of ${id}`, preferences: {}, things: new Map(), ...person });
    for (const { kind, name } of targets) {
      this.#watchers.set(`${kind}#${name}`, [...(this.#watchers.get(`${kind}#${name}`) ?? []), id]);
    }
  }

  /** Nobody watches anything any more. */
  unwatchAll(): void {
    this.#watchers.clear();
  }

  send(notice: Notice, delayMs = 0): void {
    this.#serial += 1;
    this.#messages.push({ notice, id: `message-${this.#serial}`, receives: 0, visibleAt: this.now + delayMs });
  }

  /** Until the queue is empty. Messages that are visible at the same time are worked on at the same time. */
  async run(): Promise<void> {
    while (this.#messages.length > 0) {
      this.now = Math.max(this.now, Math.min(...this.#messages.map(({ visibleAt }) => visibleAt)));
      const due = this.#messages.filter(({ visibleAt }) => visibleAt <= this.now);
      await Promise.all(due.map((message) => this.#receive(message)));
    }
  }

  async #receive(message: QueuedMessage): Promise<void> {
    if (message.receives === MAX_RECEIVES) {
      this.deadLetters.add(message.notice.id);
      this.#messages.splice(this.#messages.indexOf(message), 1);
      return;
    }
    message.receives += 1;
    message.visibleAt = this.now + VISIBILITY_MS;
    const environment = { dead: false };
    const handler = createHandler(this.#change(this.#ports(environment)));
    const event = { Records: [{ messageId: message.id, body: JSON.stringify(message.notice) }] } as unknown as SQSEvent;
    const { batchItemFailures } = await handler(event, { getRemainingTimeInMillis: () => 60_000 });
    if (environment.dead || batchItemFailures.length > 0) return;
    this.#messages.splice(this.#messages.indexOf(message), 1);
  }

  #ports(environment: { dead: boolean }): HandlerPorts {
    const call = async <Result>(effect: () => Result): Promise<Result> => {
      for (let turns = Math.floor(this.#random() * 4); turns > 0; turns -= 1) await Promise.resolve();
      const { crash, fail } = this.#harm;
      if (environment.dead) throw new HarmError('dead');
      const chance = this.#random();
      if (chance < crash) environment.dead = true;
      const after = this.#random() < 0.5;
      if (chance < crash + fail && !after) throw new HarmError('without effect');
      const result = effect();
      if (chance < crash + fail) throw new HarmError('after its effect');
      return result;
    };
    const nothing = () => undefined;
    return {
      directory: {
        watchers: ({ kind, name }) => call(() => this.#watchers.get(`${kind}#${name}`) ?? []),
        person: (id) => call(() => this.people.get(id) ?? { topicArn: undefined, preferences: {}, things: new Map() }),
      },
      deliveries: {
        of: (id) => call(() => [...this.#rows.values()].filter(({ noticeId }) => noticeId === id)),
        claim: (delivery, limit) => call(() => this.#claim(delivery, limit)),
        release: (delivery, counted) => call(() => this.#release(delivery, counted)),
        settle: (delivery, status) =>
          call(() => {
            if (this.#rows.get(keyOf(delivery))?.token !== delivery.token) return;
            this.#rows.set(keyOf(delivery), { ...delivery, status });
          }),
        refuse: (delivery) =>
          call(() => {
            if (!this.#rows.has(keyOf(delivery))) this.#rows.set(keyOf(delivery), delivery);
          }),
      },
      topics: { publish: (topicArn, { byProtocol }) => call(() => this.#publish(topicArn, byProtocol.https)) },
      failures: { send: (delivery: UnconfirmedDelivery) => call(() => void this.unconfirmed.add(keyOf(delivery))) },
      reports: {
        ...{ sent: nothing, refused: nothing, unconfirmed: nothing, failed: nothing },
        overLimit: (delivery) => void this.overLimit.add(keyOf(delivery)),
      },
      dailyLimit: this.#dailyLimit,
      now: () => this.now,
      newToken: () => `token-${++this.#serial}`,
    };
  }

  #claim(delivery: DeliveryRow, limit: number | undefined): Claim {
    const existing = this.#rows.get(keyOf(delivery));
    if (existing) return { status: 'existing', delivery: existing };
    const count = this.#counts.get(delivery.person) ?? 0;
    if (limit !== undefined && count >= limit) return { status: 'over-limit' };
    if (limit !== undefined) this.#counts.set(delivery.person, count + 1);
    this.#rows.set(keyOf(delivery), delivery);
    return { status: 'claimed' };
  }

  #release(delivery: DeliveryRow, counted: boolean): void {
    if (this.#rows.get(keyOf(delivery))?.token !== delivery.token) return;
    this.#rows.delete(keyOf(delivery));
    if (counted) this.#counts.set(delivery.person, (this.#counts.get(delivery.person) ?? 0) - 1);
  }

  #publish(topicArn: string, json: string): Published {
    const chance = this.#random();
    if (chance < this.#harm.refuse) return { outcome: 'refused', reason: 'throttled' };
    const { id = 'limit' } = JSON.parse(json);
    const key = `${id} ${topicArn.replace('topic of ', '')}`;
    this.published.set(key, (this.published.get(key) ?? 0) + 1);
    const lost = chance < this.#harm.refuse + this.#harm.loseAnswer;
    return lost ? { outcome: 'unknown', reason: 'no answer' } : { outcome: 'accepted', messageId: 'm' };
  }
}

function keyOf({ noticeId, person }: { readonly noticeId: string; readonly person: string }): string {
  return `${noticeId.replace(/^(limit)#.*/, '$1')} ${person}`;
}
