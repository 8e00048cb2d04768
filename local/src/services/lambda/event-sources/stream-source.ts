/** What the two kinds of streams have in common for the poller: shards, iterators and records. */

/** A record with what the reader of a batch needs of it. */
export interface StreamRecord {
  readonly sequenceNumber: string;
  /** Records with the same key are processed in order, whatever the parallelization factor. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
  /** The record as it stands in the event, as JSON. */
  readonly json: string;
}

export interface ShardPage {
  readonly records: readonly StreamRecord[];
  /** Undefined at the end of a shard that takes no more records. */
  readonly next: string | undefined;
}

/** Reads one stream for one mapping, with the permissions of the function's role. */
export interface StreamSource {
  /** The member of the message to a failure destination that says which records were given up. */
  readonly batchInfo: 'KinesisBatchInfo' | 'DDBStreamBatchInfo';
  /** When reading began, which LATEST stands for, in epoch milliseconds; undefined before that. */
  readonly startedAt: number | undefined;
  /** The shards of the stream, and how long it keeps records. */
  describe(): Promise<{ readonly shardIds: readonly string[]; readonly retentionMs: number }>;
  /** An iterator at the starting position of the mapping. */
  iteratorAtStart(shardId: string): Promise<string>;
  /** An iterator after a record that was read. */
  iteratorAfter(shardId: string, sequenceNumber: string): Promise<string>;
  /** A record as filter patterns see it. */
  forFilter(record: StreamRecord): unknown;
  /** The next records. @throws AwsError ExpiredIteratorException */
  read(shardId: string, iterator: string): Promise<ShardPage>;
}
