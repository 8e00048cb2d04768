import type { Reading } from '@thingstead/contracts/telemetry';
import { batchLength, batchPayload } from './batching.ts';
import type { Outbox, OutboxMessage } from './outbox.ts';

interface Waiting {
  readonly order: number;
  readonly json: string;
}

/**
 * An outbox in memory, for the time a device runs: it bridges lost connections, not a power cut. When it is full the oldest
 * readings go, and are counted. Message ids are `<session>-<number>`; numbers continue over reconnections.
 */
export class MemoryOutbox implements Outbox {
  readonly #session: string;
  readonly #maxReadings: number;
  readonly #waiting = new Map<string, Waiting[]>();
  #returned: OutboxMessage[] = [];
  #order = 0;
  #sequence = 0;
  #size = 0;
  dropped = 0;
  setAsideReadings = 0;

  constructor(session: string, maxReadings: number) {
    this.#session = session;
    this.#maxReadings = maxReadings;
  }

  get size(): number {
    return this.#size;
  }

  put(sensor: string, reading: Reading): void {
    const queue = this.#waiting.get(sensor) ?? [];
    this.#waiting.set(sensor, queue);
    this.#order += 1;
    queue.push({ order: this.#order, json: JSON.stringify(reading) });
    this.#size += 1;
    while (this.#size > this.#maxReadings && this.#dropOldest()) {}
  }

  take(): OutboxMessage | undefined {
    return this.#returned.shift() ?? this.#batch();
  }

  acknowledge(message: OutboxMessage): void {
    this.#size -= message.readings;
  }

  putBack(message: OutboxMessage): void {
    this.#returned.push(message);
  }

  setAside(message: OutboxMessage): void {
    this.#size -= message.readings;
    this.setAsideReadings += message.readings;
  }

  close(): void {}

  /** False when everything that is left is in flight: that is never dropped. */
  #dropOldest(): boolean {
    const returned = this.#returned.shift();
    const count = returned ? returned.readings : this.#oldestQueue()?.shift() ? 1 : 0;
    this.#size -= count;
    this.dropped += count;
    return count > 0;
  }

  #oldestQueue(): Waiting[] | undefined {
    return this.#oldest()?.[1];
  }

  #oldest(): [string, Waiting[]] | undefined {
    let oldest: [string, Waiting[]] | undefined;
    for (const entry of this.#waiting) {
      const [head] = entry[1];
      if (head && head.order < (oldest?.[1][0]?.order ?? Number.POSITIVE_INFINITY)) oldest = entry;
    }
    return oldest;
  }

  #batch(): OutboxMessage | undefined {
    const oldest = this.#oldest();
    if (!oldest) return undefined;
    const [sensor, queue] = oldest;
    const readings = queue.splice(0, batchLength(queue));
    this.#sequence += 1;
    const id = `${this.#session}-${this.#sequence}`;
    return { id, sensor, readings: readings.length, payload: batchPayload(id, readings) };
  }
}
