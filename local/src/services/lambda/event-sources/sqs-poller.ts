import { randomUUID } from 'node:crypto';
import type { Message, ReceiveMessageResult } from '@aws-sdk/client-sqs';
import { parseArn } from '../../../kernel/arn.ts';
import type { Timer } from '../../../kernel/clock.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { StopWatching, WatchQueueInput } from '../../sqs/index.ts';
import type { Invoker } from '../invoker.ts';
import { newTraceId } from '../trace-id.ts';
import { readBatchOutcome } from './batch-item-failures.ts';
import type { EventSourceMapping, Poller } from './event-source-mapping.ts';
import { payloadForFilter } from './record-filter.ts';

/** AWS begins with five batches at a time and scales up while there are messages. */
const DEFAULT_CONCURRENCY = 10;
/** The payload of an invocation is at most 6 MB; what JSON adds to a message is below this. */
const MAX_BATCH_BYTES = 6 * 1024 * 1024;
const EVENT_OVERHEAD_BYTES = 1024;
const RETRY_AFTER_PROBLEM_MS = 60_000;

/**
 * Reads a queue for a function, with the permissions of the function's role. Messages of a batch that succeeded are
 * deleted; the others become visible again after the queue's visibility timeout.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
export class SqsPoller implements Poller {
  readonly #kernel: Kernel;
  readonly #invoker: Invoker;
  readonly #mapping: EventSourceMapping;
  readonly #queueUrl: string;
  #stopWatching: StopWatching | undefined;
  #stopped = true;
  #receiving = false;
  #again = false;
  #running = 0;
  #gathered: Message[] = [];
  #gatheredBytes = 0;
  #windowTimer: Timer | undefined;
  #windowOver = false;

  constructor(kernel: Kernel, invoker: Invoker, mapping: EventSourceMapping) {
    this.#kernel = kernel;
    this.#invoker = invoker;
    this.#mapping = mapping;
    const arn = parseArn(mapping.settings.eventSourceArn);
    this.#queueUrl = `${kernel.endpoint}/${arn?.accountId}/${arn?.resource}`;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    const input: WatchQueueInput = {
      queueArn: this.#mapping.settings.eventSourceArn,
      onMessages: () => this.#pump(),
    };
    const service = this.#kernel.serviceCaller('lambda.amazonaws.com', this.#mapping.arn);
    this.#stopWatching = await this.#kernel.call<StopWatching>('sqs', 'WatchQueue', input, service);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopWatching?.();
    this.#windowTimer?.cancel();
  }

  #pump(): void {
    this.#again = true;
    if (this.#receiving) return;
    this.#receiving = true;
    this.#kernel.activity.track(async () => {
      try {
        await this.#receiveAll();
      } catch (error) {
        this.#mapping.failed(error);
        this.#again = false;
        this.#kernel.clock.after(RETRY_AFTER_PROBLEM_MS, () => this.#pump());
      }
      this.#receiving = false;
      // Messages may have come between the last look and now.
      if (this.#again && this.#hasCapacity()) this.#pump();
    });
  }

  async #receiveAll(): Promise<void> {
    const { batchSize, batchingWindowMs } = this.#mapping.settings;
    while (this.#again && this.#hasCapacity()) {
      this.#again = false;
      const received = await this.#receive(Math.min(10, batchSize - this.#gathered.length));
      if (received.length > 0) this.#again = true;
      for (const message of await this.#wanted(received)) this.#gather(message);
      const isFull = this.#gathered.length >= batchSize;
      const isOver = this.#windowOver || batchingWindowMs === 0;
      // Without a window a batch is what can be had at once.
      if (isFull || (isOver && (!this.#again || batchSize <= 10))) this.#dispatch();
      else this.#openWindow(batchingWindowMs);
    }
  }

  #hasCapacity(): boolean {
    return !this.#stopped && this.#running < (this.#mapping.settings.maximumConcurrency ?? DEFAULT_CONCURRENCY);
  }

  async #receive(max: number): Promise<readonly Message[]> {
    const input = {
      QueueUrl: this.#queueUrl,
      MaxNumberOfMessages: max,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    };
    const role = this.#mapping.settings.fn.assumeRole();
    const { Messages = [] } = await this.#kernel.call<ReceiveMessageResult>('sqs', 'ReceiveMessage', input, role);
    return Messages;
  }

  /** The messages that the filter lets through; "Lambda deletes the others from the queue". */
  async #wanted(messages: readonly Message[]): Promise<readonly Message[]> {
    const { filter } = this.#mapping.settings;
    if (!filter) return messages;
    const { wanted = [], others = [] } = Object.groupBy(messages, (message) => {
      const record = { ...this.#toRecord(message), body: payloadForFilter(message.Body ?? '') };
      return filter.matches(record) ? 'wanted' : 'others';
    });
    await this.#delete(others);
    return wanted;
  }

  #gather(message: Message): void {
    const bytes = Buffer.byteLength(JSON.stringify(message)) + EVENT_OVERHEAD_BYTES;
    if (this.#gathered.length > 0 && this.#gatheredBytes + bytes > MAX_BATCH_BYTES) this.#dispatch();
    this.#gathered.push(message);
    this.#gatheredBytes += bytes;
  }

  #openWindow(windowMs: number): void {
    if (this.#windowTimer || this.#gathered.length === 0) return;
    this.#windowTimer = this.#kernel.clock.after(windowMs, () => {
      this.#windowTimer = undefined;
      this.#windowOver = true;
      this.#pump();
    });
  }

  #dispatch(): void {
    this.#windowTimer?.cancel();
    this.#windowTimer = undefined;
    this.#windowOver = false;
    const batch = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (batch.length === 0) return;
    this.#running += 1;
    this.#kernel.activity.track(async () => {
      try {
        await this.#process(batch);
      } catch (error) {
        this.#mapping.failed(error);
      } finally {
        this.#running -= 1;
        this.#pump();
      }
    });
  }

  async #process(batch: readonly Message[]): Promise<void> {
    const { fn, reportBatchItemFailures } = this.#mapping.settings;
    const result = await this.#invoker.invoke(fn, {
      requestId: randomUUID(),
      payload: JSON.stringify({ Records: batch.map((message) => this.#toRecord(message)) }),
      clientContext: undefined,
      traceId: newTraceId(this.#kernel.clock.now()),
    });
    const outcome = result.failed
      ? ({ kind: 'malformed' } as const)
      : reportBatchItemFailures
        ? readBatchOutcome(result.payload, new Set(batch.map(({ MessageId = '' }) => MessageId)))
        : ({ kind: 'success' } as const);
    this.#mapping.succeeded(outcome.kind === 'malformed' ? 'PROBLEM: Function call failed' : 'OK');
    if (outcome.kind === 'malformed') return;
    const done =
      outcome.kind === 'success' ? batch : batch.filter(({ MessageId = '' }) => !outcome.failed.has(MessageId));
    await this.#delete(done);
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    const role = this.#mapping.settings.fn.assumeRole();
    for (let start = 0; start < messages.length; start += 10) {
      const Entries = messages
        .slice(start, start + 10)
        .map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
      await this.#kernel.call('sqs', 'DeleteMessageBatch', { QueueUrl: this.#queueUrl, Entries }, role);
    }
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event */
  #toRecord(message: Message): Readonly<Record<string, unknown>> {
    const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
      name,
      {
        stringValue: value.StringValue,
        binaryValue: value.BinaryValue && Buffer.from(value.BinaryValue).toString('base64'),
        stringListValues: [],
        binaryListValues: [],
        dataType: value.DataType,
      },
    ]);
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes,
      messageAttributes: Object.fromEntries(attributes),
      ...(message.MD5OfMessageAttributes !== undefined && { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
      md5OfBody: message.MD5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: this.#mapping.settings.eventSourceArn,
      awsRegion: this.#kernel.region,
    };
  }
}
