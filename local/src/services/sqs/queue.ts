/**
 * One standard queue: what is visible, what is hidden, who waits.
 *
 * INVARIANTS
 * - a message is in `#messages` until it is deleted, moved or expired, and in `#visible` exactly while its state is
 *   `visible`;
 * - at most one timer is set, for the next hidden message that becomes visible.
 */
import { randomUUID } from 'node:crypto';
import type { Faults } from '../../faults/faults.ts';
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { KeptRecord } from '../../kernel/kept-state.ts';
import { HiddenMessages } from './hidden-messages.ts';
import type { MessageAttributes } from './message-attributes.ts';
import type { QueueSettings } from './queue-attributes.ts';
import { WaitingReceivers } from './waiting-receivers.ts';

export interface NewMessage {
  readonly body: string;
  readonly md5OfBody: string;
  readonly attributes: MessageAttributes | undefined;
  readonly md5OfAttributes: string | undefined;
  readonly traceHeader: string | undefined;
  readonly senderId: string;
}

export interface StoredMessage extends NewMessage {
  readonly id: string;
  /** What the queue keeps it under, and its receipt handles begin with: its id, another one for a copy. */
  readonly key: string;
  readonly sentAt: number;
  /** The queue it was moved from, for a message in a dead-letter queue. */
  readonly sourceArn: string | undefined;
  state: 'visible' | 'delayed' | 'in-flight' | 'deleted';
  visibleAt: number;
  firstReceivedAt: number | undefined;
  receiveCount: number;
  receiptHandle: string | undefined;
  /** Asked once per delivery whether a fault of the plan wants harm done; a copy is never asked for. */
  harm: 'to be drawn' | 'drawn' | 'copy';
}

/** A message as it is kept. */
export interface KeptMessage {
  readonly queueName: string;
  /** Its place among the messages of the queue. */
  readonly order: number;
  readonly message: StoredMessage;
}

/** A queue as it is kept, without its messages. */
export interface KeptQueue {
  readonly name: string;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
  readonly lastPurgedAt: number;
  readonly settings: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
}

export interface QueueEvents {
  /** Something changed that metrics show. */
  changed(): void;
  /** A message was received as often as the redrive policy allows; the listener puts it elsewhere. */
  redrive(message: StoredMessage): boolean;
}

export class Queue {
  readonly name: string;
  readonly arn: string;
  createdAt: number;
  lastModifiedAt: number;
  lastPurgedAt = Number.NEGATIVE_INFINITY;
  settings: QueueSettings;
  readonly tags = new Map<string, string>();
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #events: QueueEvents;
  readonly #messages = new Map<string, StoredMessage>();
  readonly #visible = new Map<string, StoredMessage>();
  readonly #hidden = new HiddenMessages();
  readonly #receivers: WaitingReceivers;
  readonly #watchers = new Set<() => void>();
  /** Places of messages that were kept: given when a message is first saved, so they grow along `#messages`. */
  readonly #orders = new WeakMap<StoredMessage, number>();
  #lastOrder = 0;
  #delayed = 0;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(
    identity: { readonly name: string; readonly arn: string },
    settings: QueueSettings,
    { clock, faults }: { readonly clock: Clock; readonly faults: Faults },
    events: QueueEvents,
  ) {
    this.name = identity.name;
    this.arn = identity.arn;
    this.settings = settings;
    this.#clock = clock;
    this.#faults = faults;
    this.#receivers = new WaitingReceivers(clock);
    this.#events = events;
    this.createdAt = clock.now();
    this.lastModifiedAt = this.createdAt;
  }

  get visibleCount(): number {
    this.#expire();
    return this.#visible.size;
  }

  get delayedCount(): number {
    return this.#delayed;
  }

  get inFlightCount(): number {
    return this.#messages.size - this.#visible.size - this.#delayed;
  }

  /** When the oldest message that is not deleted was sent; undefined for an empty queue. */
  get oldestSentAt(): number | undefined {
    this.#expire();
    return this.#messages.values().next().value?.sentAt;
  }

  /** Adds a new message. `deliver` must follow, once for all that were added together. */
  add(message: NewMessage, delayMs: number): StoredMessage {
    const now = this.#clock.now();
    const id = randomUUID();
    const stored: StoredMessage = {
      ...message,
      id,
      key: id,
      sentAt: now,
      sourceArn: undefined,
      state: delayMs > 0 ? 'delayed' : 'visible',
      visibleAt: now + delayMs,
      firstReceivedAt: undefined,
      receiveCount: 0,
      receiptHandle: undefined,
      harm: 'to be drawn',
    };
    this.#messages.set(stored.key, stored);
    if (delayMs === 0) {
      this.#visible.set(stored.key, stored);
    } else {
      this.#delayed += 1;
      this.#hide(stored);
    }
    return stored;
  }

  /** Takes a message from another queue, under the id and with the age it has. */
  addMoved(message: StoredMessage, sourceArn: string): void {
    const moved: StoredMessage = { ...message, sourceArn, state: 'visible', receiptHandle: undefined };
    this.#add([moved]);
  }

  /** Hands visible messages to who waits for them. */
  deliver(): void {
    this.#receivers.serve((max, visibilityMs) => this.#take(max, visibilityMs));
    if (this.#visible.size > 0) for (const watcher of this.#watchers) watcher();
    this.#events.changed();
  }

  /** Receives up to `max` messages, waiting up to `waitMs` of virtual time for the first. */
  receive(max: number, visibilityMs: number, waitMs: number): Promise<readonly StoredMessage[]> {
    const messages = this.#take(max, visibilityMs);
    if (messages.length > 0 || waitMs === 0) {
      this.#events.changed();
      return Promise.resolve(messages);
    }
    return this.#receivers.wait(max, visibilityMs, waitMs);
  }

  /** The message that this receipt handle was last given out for; undefined when it was received again or is gone. */
  findReceived(receiptHandle: string): StoredMessage | undefined {
    const message = this.#messages.get(receiptHandle.slice(0, 36));
    return message?.receiptHandle === receiptHandle ? message : undefined;
  }

  delete(message: StoredMessage): void {
    this.#remove(message);
    this.#events.changed();
  }

  /** Hides a message in flight for another time, counted from now; 0 makes it visible at once. */
  changeVisibility(message: StoredMessage, visibilityMs: number): void {
    message.visibleAt = this.#clock.now() + visibilityMs;
    this.#hide(message);
    if (visibilityMs === 0) this.#reveal();
  }

  purge(): void {
    for (const message of [...this.#messages.values()]) this.#remove(message);
    this.#hidden.clear();
    this.lastPurgedAt = this.#clock.now();
    this.#events.changed();
  }

  /** Calls `watcher` whenever messages can be received; gives the end of that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    if (this.visibleCount > 0) watcher();
    return () => this.#watchers.delete(watcher);
  }

  *save(): Generator<KeptRecord> {
    const { name, createdAt, lastModifiedAt, lastPurgedAt, settings, tags } = this;
    const kept: KeptQueue = { name, createdAt, lastModifiedAt, lastPurgedAt, settings: settings.texts, tags };
    yield [`queue/${name}`, kept];
    for (const message of this.#messages.values()) {
      const order = this.#orderOf(message);
      const { state, visibleAt, receiptHandle, key } = message;
      const value = (): KeptMessage => ({ queueName: name, order, message });
      yield [`message/${name}/${key}`, value, `${order} ${state} ${visibleAt} ${receiptHandle}`];
    }
  }

  /** Takes over a kept queue, its messages in their order. What is hidden becomes visible when its time has come. */
  restore({ createdAt, lastModifiedAt, lastPurgedAt, tags }: KeptQueue, messages: readonly KeptMessage[]): void {
    Object.assign(this, { createdAt, lastModifiedAt, lastPurgedAt });
    for (const [name, value] of tags) this.tags.set(name, value);
    for (const { message, order } of messages) {
      this.#orders.set(message, order);
      this.#lastOrder = order;
      this.#messages.set(message.key, message);
      if (message.state === 'visible') {
        this.#visible.set(message.key, message);
      } else {
        if (message.state === 'delayed') this.#delayed += 1;
        this.#hide(message);
      }
    }
    if (messages.length > 0) this.#events.changed();
  }

  /** Lets everybody who waits go, with nothing. */
  close(): void {
    this.#timer?.cancel();
    this.#receivers.release();
  }

  #take(max: number, visibilityMs: number): StoredMessage[] {
    this.#expire();
    const now = this.#clock.now();
    const { redrive } = this.settings;
    const taken: StoredMessage[] = [];
    const copies: StoredMessage[] = [];
    for (const message of this.#visible.values()) {
      if (taken.length === max) break;
      if (message.sentAt + this.settings.retentionMs <= now) {
        this.#remove(message);
        continue;
      }
      if (redrive && message.receiveCount >= redrive.maxReceiveCount && this.#events.redrive(message)) {
        this.#remove(message);
        continue;
      }
      const harm = this.#harmTo(message);
      if (harm === 'held') continue;
      if (harm === 'duplicate') copies.push({ ...message, key: randomUUID(), harm: 'copy' });
      this.#visible.delete(message.key);
      message.receiveCount += 1;
      message.firstReceivedAt ??= now;
      message.receiptHandle = `${message.key}${randomUUID()}`;
      message.visibleAt = now + visibilityMs;
      message.state = 'in-flight';
      taken.push(message);
    }
    for (const message of taken) this.#hide(message);
    if (copies.length > 0) this.#clock.after(0, () => this.#add(copies));
    if (visibilityMs === 0) this.#reveal();
    return taken;
  }

  /**
   * Holds a message back, or says that it is to be received once more, as the plan of faults has it: "you might get that
   * message copy again" (AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html).
   */
  #harmTo(message: StoredMessage): 'held' | 'duplicate' | undefined {
    if (message.harm !== 'to be drawn') {
      if (message.harm === 'drawn') message.harm = 'to be drawn';
      return undefined;
    }
    const facts = { queue: this.name };
    const harm = this.#faults.draw('queue-delivery', facts);
    if (harm?.do === 'delay' || harm?.do === 'reorder') {
      message.harm = 'drawn';
      message.state = 'delayed';
      this.#visible.delete(message.key);
      this.#delayed += 1;
      harm.hold(() => this.#letFollow(message));
      return 'held';
    }
    this.#faults.passed('queue-delivery', facts);
    return harm?.do;
  }

  /** Makes a message visible that was held back. A receive that is running may take it, others are told later. */
  #letFollow(message: StoredMessage): void {
    if (message.state !== 'delayed') return;
    this.#delayed -= 1;
    message.state = 'visible';
    this.#visible.set(message.key, message);
    this.#clock.after(0, () => this.deliver());
  }

  #add(messages: readonly StoredMessage[]): void {
    for (const message of messages) {
      this.#messages.set(message.key, message);
      this.#visible.set(message.key, message);
    }
    this.deliver();
  }

  #orderOf(message: StoredMessage): number {
    const known = this.#orders.get(message);
    if (known !== undefined) return known;
    this.#lastOrder += 1;
    this.#orders.set(message, this.#lastOrder);
    return this.#lastOrder;
  }

  #hide(message: StoredMessage): void {
    this.#hidden.add(message);
    this.#arm();
  }

  #arm(): void {
    const next = this.#hidden.nextAt() ?? Number.POSITIVE_INFINITY;
    if (next >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = next;
    this.#timer = this.#clock.at(next, () => this.#reveal());
  }

  /** Makes everything visible whose time has come. */
  #reveal(): void {
    const now = this.#clock.now();
    let revealed = 0;
    for (let message = this.#hidden.takeDue(now); message; message = this.#hidden.takeDue(now)) {
      if (message.state === 'delayed') this.#delayed -= 1;
      message.state = 'visible';
      this.#visible.set(message.key, message);
      revealed += 1;
    }
    if (this.#timerAt <= now) this.#timerAt = Number.POSITIVE_INFINITY;
    this.#arm();
    if (revealed > 0) this.deliver();
  }

  #remove(message: StoredMessage): void {
    if (message.state === 'delayed') this.#delayed -= 1;
    message.state = 'deleted';
    this.#messages.delete(message.key);
    this.#visible.delete(message.key);
  }

  #expire(): void {
    const oldest = this.#clock.now() - this.settings.retentionMs;
    for (const message of this.#messages.values()) {
      if (message.sentAt > oldest) break;
      this.#remove(message);
    }
  }
}
