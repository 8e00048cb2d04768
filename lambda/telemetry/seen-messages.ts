import type { HourItem } from '@thingstead/contracts/telemetry-store';
import type { Message } from './message.ts';
import { isAfter } from './sequence-number.ts';
import { decodeSequences, encodeSequences, parseNumberedId } from './sequences.ts';

/*
 * What an hour item may grow to, so that it stays far below DynamoDB's 400 KB: 60 buckets of at most 1.3 KB; 120 KB of numbers,
 * of at most 8 192 in each of 32 sessions, a few bytes together where there is a pattern (a device sends a sensor's batches at
 * regular numbers) and up to 15 bytes each where there is none; 200 other ids of at most 512 bytes. Beyond that the oldest are
 * forgotten, and a message that is sent again after that counts again.
 */
const MAX_NUMBERS = 8192;
const MAX_SESSIONS = 32;
/** Of the numbers of all sessions, as text. One session of 8 192 numbers always fits. */
const MAX_NUMBERS_LENGTH = 120_000;
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
    const sessions: SeenColumns['sessions'] = [];
    let room = MAX_NUMBERS_LENGTH;
    for (const [session, numbers] of [...this.#sessions].slice(-MAX_SESSIONS).reverse()) {
      const seen = encodeHighest(numbers, room);
      if (seen === '') break;
      sessions.unshift({ session, seen });
      room -= seen.length;
    }
    return {
      sessions,
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

/** The highest numbers as text of at most `room`; half as many at each attempt, so that not every message forgets some. */
function encodeHighest(numbers: Iterable<number>, room: number): string {
  let highest = [...numbers].sort((a, b) => a - b).slice(-MAX_NUMBERS);
  let text = encodeSequences(highest);
  while (text.length > room) {
    highest = highest.slice(Math.ceil(highest.length / 2));
    text = encodeSequences(highest);
  }
  return text;
}

function addNew<T>(set: Set<T>, member: T): boolean {
  if (set.has(member)) return false;
  set.add(member);
  return true;
}
