/**
 * One sequence of records that is processed strictly in order: a shard, or with a parallelization factor the part of a
 * shard that its partition keys fall into. While a batch fails, nothing behind it is processed.
 */
import { randomUUID } from 'node:crypto';
import type { Timer } from '../../../kernel/clock.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Invocation, Invoker } from '../invoker.ts';
import { newTraceId } from '../trace-id.ts';
import { readBatchOutcome } from './batch-item-failures.ts';
import { type DiscardCondition, sendDiscarded } from './discarded-batch.ts';
import type { EventSourceMapping, StreamSettings } from './event-source-mapping.ts';
import type { StreamRecord, StreamSource } from './stream-source.ts';

/** An invocation takes 6 MB. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
const EMPTY_EVENT_BYTES = eventOf([]).length;
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60_000;

interface Batch {
  readonly records: readonly StreamRecord[];
  /** Failed invocations that count against the retry attempts. */
  readonly failures: number;
  /** All invocations. */
  readonly invocations: number;
  readonly lastResult: Invocation | undefined;
  /** Set for a batch that a fault of the plan repeats. */
  readonly isRepeated?: true;
}

export interface LaneOptions {
  readonly kernel: Kernel;
  readonly invoker: Invoker;
  readonly mapping: EventSourceMapping;
  readonly stream: StreamSettings;
  readonly batchInfo: StreamSource['batchInfo'];
  readonly shardId: string;
  /** How long the stream keeps records. */
  readonly retentionMs: number;
  /** Called when there is room for more records. */
  onRoom(): void;
}

export class StreamLane {
  readonly #options: LaneOptions;
  /** Read and not yet part of a batch. */
  #records: StreamRecord[] = [];
  /** Batches to be tried again, before anything else. */
  #batches: Batch[] = [];
  /** What is being processed. */
  #current: Batch | undefined;
  #gatheringSince = 0;
  #timer: Timer | undefined;
  #busy = false;
  #stopped = false;
  #throttles = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#records.length;
  }

  /** The sequence number of the first record that is not done with; undefined when all are. */
  get oldest(): string | undefined {
    const [first] = [this.#current, ...this.#batches].flatMap((batch) => batch?.records[0] ?? []);
    return (first ?? this.#records[0])?.sequenceNumber;
  }

  add(records: readonly StreamRecord[]): void {
    if (records.length === 0) return;
    if (this.#records.length === 0) this.#gatheringSince = this.#options.kernel.clock.now();
    this.#records.push(...records);
    this.pump();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  resume(): void {
    this.#stopped = false;
    this.pump();
  }

  /** Starts the next batch, if there is one and it is time. */
  pump(): void {
    if (this.#busy || this.#stopped || this.#timer) return;
    const batch = this.#batches.shift() ?? this.#takeBatch();
    if (!batch) return;
    this.#busy = true;
    this.#current = batch;
    this.#options.kernel.activity.track(async () => {
      try {
        await this.#process(batch);
      } finally {
        this.#busy = false;
        this.#current = undefined;
        this.pump();
        this.#options.onRoom();
      }
    });
  }

  #takeBatch(): Batch | undefined {
    const { batchSize, batchingWindowMs } = this.#options.mapping.settings;
    if (this.#records.length === 0) return undefined;
    let [count, bytes] = [0, EMPTY_EVENT_BYTES];
    for (const { json } of this.#records) {
      bytes += Buffer.byteLength(json) + 1;
      if (count === batchSize || (count > 0 && bytes > MAX_PAYLOAD_BYTES)) break;
      count += 1;
    }
    const isFull = count === batchSize || count < this.#records.length;
    const dueAt = this.#gatheringSince + batchingWindowMs;
    if (!isFull && dueAt > this.#options.kernel.clock.now()) {
      this.#wait(dueAt - this.#options.kernel.clock.now());
      return undefined;
    }
    const records = this.#records.slice(0, count);
    this.#records = this.#records.slice(count);
    this.#gatheringSince = this.#options.kernel.clock.now();
    return { records, failures: 0, invocations: 0, lastResult: undefined };
  }

  #wait(delayMs: number): void {
    this.#timer = this.#options.kernel.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.pump();
    });
  }

  async #process(given: Batch): Promise<void> {
    const batch = await this.#discardOld(given);
    if (batch.records.length === 0) return;
    let result: Invocation;
    try {
      result = await this.#invoke(batch);
      this.#throttles = 0;
    } catch (error) {
      // Nothing was invoked: throttled, or the role cannot be assumed. That is tried until the records are too old.
      if (!(error instanceof AwsError)) throw error;
      this.#options.mapping.failed(error);
      this.#batches.unshift(batch);
      this.#throttles += 1;
      this.#wait(backoff(this.#throttles));
      return;
    }
    const invoked = { ...batch, invocations: batch.invocations + 1, lastResult: result };
    const failedFrom = this.#firstFailure(batch.records, result);
    this.#options.mapping.succeeded(failedFrom === undefined ? 'OK' : 'PROBLEM: Function call failed');
    if (failedFrom !== undefined) await this.#retry(invoked, failedFrom);
    else this.#repeat(batch);
  }

  /** Lambda processes each record at least once: when it loses its checkpoint, a batch comes again that was done. */
  #repeat({ records, isRepeated }: Batch): void {
    const { kernel, mapping } = this.#options;
    if (isRepeated || !kernel.faults.draw('stream-delivery', { stream: streamName(mapping.settings.eventSourceArn) }))
      return;
    this.#batches.unshift({ records, failures: 0, invocations: 0, lastResult: undefined, isRepeated: true });
  }

  #invoke({ records }: Batch): Promise<Invocation> {
    const { kernel, invoker, mapping } = this.#options;
    const { fn } = mapping.settings;
    invoker.record(fn, { IteratorAge: Math.max(0, kernel.clock.now() - (records.at(-1)?.arrivedAt ?? 0)) });
    return invoker.invoke(fn, {
      requestId: randomUUID(),
      payload: eventOf(records),
      clientContext: undefined,
      traceId: newTraceId(kernel.clock.now()),
    });
  }

  /** The index from which on records have to be processed again; undefined when all are done. */
  #firstFailure(records: readonly StreamRecord[], result: Invocation): number | undefined {
    if (result.failed) return 0;
    if (!this.#options.mapping.settings.reportBatchItemFailures) return undefined;
    const identifiers = records.map(({ sequenceNumber }) => sequenceNumber);
    const outcome = readBatchOutcome(result.payload, new Set(identifiers));
    if (outcome.kind === 'success') return undefined;
    return outcome.kind === 'malformed' ? 0 : identifiers.findIndex((each) => outcome.failed.has(each));
  }

  /** "Splitting a batch does not count towards the retry quota." */
  async #retry(batch: Batch, failedFrom: number): Promise<void> {
    const { bisectBatchOnFunctionError, maximumRetryAttempts } = this.#options.stream;
    const records = batch.records.slice(failedFrom);
    if (bisectBatchOnFunctionError && records.length > 1) {
      // What was reported as done is the first half; otherwise the batch is halved.
      const half = failedFrom > 0 ? records.length : Math.ceil(records.length / 2);
      const parts = [records.slice(0, half), records.slice(half)].filter((each) => each.length > 0);
      this.#batches.unshift(...parts.map((part) => ({ ...batch, records: part })));
      return;
    }
    const failures = batch.failures + 1;
    if (maximumRetryAttempts >= 0 && failures > maximumRetryAttempts) {
      await this.#discard({ ...batch, records }, 'RetryAttemptsExhausted');
      return;
    }
    this.#batches.unshift({ ...batch, records, failures });
    this.#wait(backoff(failures));
  }

  /** Lets go of records that are too old, which are the first ones. */
  async #discardOld(batch: Batch): Promise<Batch> {
    const { kernel, stream, retentionMs } = this.#options;
    const maximumAgeMs =
      stream.maximumRecordAgeSeconds < 0 ? retentionMs : Math.min(stream.maximumRecordAgeSeconds * 1000, retentionMs);
    const oldest = kernel.clock.now() - maximumAgeMs;
    const keep = batch.records.findIndex(({ arrivedAt }) => arrivedAt >= oldest);
    if (keep === 0) return batch;
    const old = keep < 0 ? batch.records : batch.records.slice(0, keep);
    await this.#discard({ ...batch, records: old }, 'RecordAgeExceeded');
    return { ...batch, records: keep < 0 ? [] : batch.records.slice(keep) };
  }

  async #discard(batch: Batch, condition: DiscardCondition): Promise<void> {
    const { kernel, invoker, mapping, stream, shardId, batchInfo } = this.#options;
    await sendDiscarded(kernel, invoker, mapping, stream.onFailure, { ...batch, condition, shardId, batchInfo });
  }
}

/** The event with these records. */
function eventOf(records: readonly StreamRecord[]): string {
  return `{"Records":[${records.map(({ json }) => json).join(',')}]}`;
}

/** `stream/<name>` of Kinesis, `table/<name>/stream/<time>` of DynamoDB. */
function streamName(arn: string): string | undefined {
  return arn.split('/')[1];
}

function backoff(failures: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
}
