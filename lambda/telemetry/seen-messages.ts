import type { HourItem } from '@thingstead/contracts/telemetry-store';
import type { Message } from './message.ts';
import { isAfter } from './sequence-number.ts';
import { decodeSequences, encodeSequences, parseNumberedId } from './sequences.ts';

/*
 * What an hour item may grow to, so that it stays far below DynamoDB's 400 KB: 60 buckets of at most 1.3 KB; 8 192 numbers in
 * each of 32 sessions, a few bytes together where there is a pattern (a device sends a sensor's batches at regular numbers)
 * and 2 to 6 bytes each where there is none; 200 other ids of at most 512 bytes. Beyond that the oldest are forgotten, and a
 * message that is sent again after that counts again.
 */
const MAX_NUMBERS = 8192;
const MAX_SESSIONS = 32;
const MAX_OTHER_IDS = 200;

type SeenColumns = Pick<HourItem, 'sessions' | 'ids' | 'shards'>;

/** Which messages are counted in an item: by the id that the device gave, and by the place in the stream. */
export class SeenMessages {
  /** Insertion order is the order of last use. */
  readonly #sessions: Map<string, Set<number>>;
  readonly #ids: Set<string>;
  readonly #shards: Map<string, string>;

  constructor(item: SeenColumns | undefined) {
    const sessions = item?.sessions ?? [];
    this.#sessions = new Map(sessions.map(({ session, seen }) => [session, new Set(decodeSequences(seen))]));
    this.#ids = new Set(item?.ids);
    this.#shards = new Map(Object.entries(item?.shards ?? {}));
  }

  /** True when the message was not counted before; from now on it is. Messages of a shard come in the order of the stream. */
  add({ id, shardId, sequenceNumber }: Message): boolean {
    const counted = this.#shards.get(shardId);
    // A batch that is delivered again, also for messages without an id.
    if (counted !== undefined && !isAfter(sequenceNumber, counted)) return false;
    this.#shards.set(shardId, sequenceNumber);
    return id === undefined || this.#addId(id);
  }

  toColumns(): SeenColumns {
    const sessions = [...this.#sessions].slice(-MAX_SESSIONS);
    return {
      sessions: sessions.map(([session, numbers]) => ({
        session,
        seen: encodeSequences([...numbers].sort((a, b) => a - b).slice(-MAX_NUMBERS)),
      })),
      ids: [...this.#ids].slice(-MAX_OTHER_IDS),
      shards: Object.fromEntries(this.#shards),
    };
  }

  #addId(id: string): boolean {
    const numbered = parseNumberedId(id);
    if (!numbered) return addNew(this.#ids, id);
    const { session, sequence } = numbered;
    const numbers = this.#sessions.get(session) ?? new Set<number>();
    this.#sessions.delete(session);
    this.#sessions.set(session, numbers);
    return addNew(numbers, sequence);
  }
}

function addNew<T>(set: Set<T>, member: T): boolean {
  if (set.has(member)) return false;
  set.add(member);
  return true;
}
