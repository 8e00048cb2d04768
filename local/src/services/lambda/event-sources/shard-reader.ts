import { AwsError } from '../../../kernel/errors.ts';
import type { ShardPage, StreamRecord, StreamSource } from './stream-source.ts';

/** Reads one shard forward. */
export class ShardReader {
  readonly shardId: string;
  readonly #source: StreamSource;
  #iterator: string | undefined;
  #lastRead: string | undefined;

  /** `lastRead`: the sequence number after which to begin; without one at the start of the mapping. */
  constructor(source: StreamSource, shardId: string, lastRead?: string) {
    this.#lastRead = lastRead;
    this.#source = source;
    this.shardId = shardId;
  }

  /** The sequence number of the last record that was read. */
  get lastRead(): string | undefined {
    return this.#lastRead;
  }

  /** Takes the position now, so that what comes later is read. */
  async open(): Promise<void> {
    this.#iterator = await this.#newIterator();
  }

  /** The next records; none when the end of the shard is reached. */
  async read(): Promise<readonly StreamRecord[]> {
    this.#iterator ??= await this.#newIterator();
    let page: ShardPage;
    try {
      page = await this.#source.read(this.shardId, this.#iterator);
    } catch (error) {
      if (!(error instanceof AwsError && error.code === 'ExpiredIteratorException')) throw error;
      this.#iterator = await this.#newIterator();
      page = await this.#source.read(this.shardId, this.#iterator);
    }
    this.#iterator = page.next;
    this.#lastRead = page.records.at(-1)?.sequenceNumber ?? this.#lastRead;
    return page.records;
  }

  #newIterator(): Promise<string> {
    return this.#lastRead === undefined
      ? this.#source.iteratorAtStart(this.shardId)
      : this.#source.iteratorAfter(this.shardId, this.#lastRead);
  }
}
