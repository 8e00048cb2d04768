import { randomUUID } from 'node:crypto';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { LambdaFunction } from '../lambda-function.ts';
import type { RecordFilter } from './record-filter.ts';
import type { StreamPosition } from './stream-poller.ts';

export interface MappingSettings {
  readonly fn: LambdaFunction;
  readonly eventSourceArn: string;
  readonly source: 'dynamodb' | 'kinesis' | 'sqs';
  /** Undefined: the function gets every record. */
  readonly filter: RecordFilter | undefined;
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  readonly reportBatchItemFailures: boolean;
  /** SQS: how many batches at a time; undefined for no limit of its own. */
  readonly maximumConcurrency: number | undefined;
  readonly stream: StreamSettings | undefined;
}

export interface StreamSettings {
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP';
  readonly startingTimestamp: Date | undefined;
  readonly parallelizationFactor: number;
  readonly bisectBatchOnFunctionError: boolean;
  /** -1: until the records expire. */
  readonly maximumRetryAttempts: number;
  /** -1: until the records expire. */
  readonly maximumRecordAgeSeconds: number;
  readonly onFailure: string | undefined;
}

/** What reads an event source for a mapping. */
export interface Poller {
  /** Resolves when the position to read from is known. */
  start(): Promise<void>;
  stop(): void;
  /** How far a reader of a stream has come. */
  readonly position?: StreamPosition | undefined;
}

/** One event source mapping: its settings, its state, and what came of the last batch. */
export class EventSourceMapping {
  readonly uuid: string;
  readonly arn: string;
  settings: MappingSettings;
  enabled = false;
  lastModified: number;
  lastProcessingResult = 'No records processed';
  poller: Poller | undefined;
  readonly #kernel: Kernel;
  #problem: string | undefined;

  constructor(kernel: Kernel, settings: MappingSettings, uuid: string = randomUUID()) {
    this.uuid = uuid;
    this.#kernel = kernel;
    this.settings = settings;
    this.arn = kernel.arn('lambda', `event-source-mapping:${this.uuid}`);
    this.lastModified = kernel.clock.now();
  }

  /** The source was read: an earlier problem is over. */
  succeeded(result: 'OK' | 'PROBLEM: Function call failed'): void {
    this.lastProcessingResult = result;
    this.#problem = undefined;
  }

  /** The source cannot be read; the log says so when the reason is a new one. */
  failed(error: unknown): void {
    if (this.#kernel.isClosing) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.lastProcessingResult = `PROBLEM: ${reason}`;
    if (reason === this.#problem) return;
    this.#problem = reason;
    const { fn, eventSourceArn } = this.settings;
    this.#kernel.log.warn('an event source cannot be read', {
      function: fn.configuration.name,
      eventSource: eventSourceArn,
      error,
    });
  }
}
