/** Who is owed what: the readings that the outbox promised to keep, and what reached the cloud. */
import type { Clock } from '../../device/src/clock.ts';
import { DurableOutbox, type DurableOutboxOptions } from '../../device/src/durable-outbox.ts';
import type { FileSystem } from '../../device/src/file-system.ts';
import type { LogFields } from '../../device/src/log.ts';
import type { OutboxMessage } from '../../device/src/outbox.ts';

/** Time that moves only when it is told to. */
export class HeldClock implements Clock {
  time = 1_795_262_722_828;
  #up = 0;
  readonly #timers = new Set<{ due: number; task: () => void }>();

  now(): number {
    return this.time;
  }
  uptime(): number {
    return this.#up;
  }
  after(ms: number, task: () => void): () => void {
    const timer = { due: this.#up + ms, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
  advance(ms: number): void {
    this.#up += ms;
    this.time += ms;
    for (const timer of [...this.#timers].filter(({ due }) => due <= this.#up)) {
      this.#timers.delete(timer);
      timer.task();
    }
  }
}

export interface Opened {
  readonly outbox: DurableOutbox;
  readonly clock: HeldClock;
  readonly events: { readonly event: string; readonly fields: LogFields }[];
}

let sessions = 0;

export function openOutbox(fs: FileSystem, options: Partial<DurableOutboxOptions> = {}): Opened {
  const clock = new HeldClock();
  const events: Opened['events'] = [];
  const note = (event: string, fields: LogFields = {}): void => {
    events.push({ event, fields });
  };
  const outbox = new DurableOutbox({
    ...{ fs, directory: '/state', maxBytes: 24 * 1024 * 1024, maxAgeMs: 720 * 3_600_000, syncMs: 5000, clock },
    log: { debug: note, info: note, warn: note, error: note },
    newSession: () => {
      sessions += 1;
      return `s${sessions}`;
    },
    ...options,
  });
  return { outbox, clock, events };
}

/** What the store of the cloud holds: one item per message id. */
export class Cloud {
  readonly messages: Map<string, string>;

  constructor(messages: ReadonlyMap<string, string> = new Map()) {
    this.messages = new Map(messages);
  }

  /** @throws when an id comes with other bytes than before. */
  receive({ id, payload }: OutboxMessage): void {
    const text = payload.toString();
    const before = this.messages.get(id) ?? text;
    if (before !== text) throw new Error(`${id} came with other bytes:\n${before}\n${text}`);
    this.messages.set(id, text);
  }

  /** Values of all readings, as often as they are there. */
  values(): number[] {
    return [...this.messages.values()].flatMap((text) => {
      const { readings }: { readings: { value: number }[] } = JSON.parse(text);
      return readings.map(({ value }) => value);
    });
  }
}

/** Sends everything; gives the number of messages. */
export function drain(outbox: DurableOutbox, cloud: Cloud): number {
  let count = 0;
  for (let message = outbox.take(); message; message = outbox.take()) {
    cloud.receive(message);
    outbox.acknowledge(message);
    count += 1;
  }
  return count;
}

/** What is wrong with the books: readings that came twice, and more missing than were counted. */
export function discrepancies(kept: Iterable<number>, cloud: Cloud, counted: number): string[] {
  const values = cloud.values();
  const present = new Set(values);
  const missing = [...kept].filter((value) => !present.has(value));
  const twice = values.length - present.size;
  return [
    ...(twice > 0 ? [`${twice} readings came twice under different ids`] : []),
    ...(missing.length > counted ? [`lost without being counted: ${missing.join(', ')}; counted ${counted}`] : []),
  ];
}
