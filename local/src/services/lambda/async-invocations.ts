/**
 * Asynchronous invocation: the event is queued and answered for at once; errors are retried after one and two minutes;
 * what cannot be processed goes to the dead-letter queue and the failure destination.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */

import type { Timer } from '../../kernel/clock.ts';
import { AwsError } from '../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Concurrency } from './concurrency.ts';
import { sendToDestination } from './destinations.ts';
import type { Invocation, Invoker } from './invoker.ts';
import { DEFAULT_EVENT_INVOKE_SETTINGS, type EventInvokeSettings, type LambdaFunction } from './lambda-function.ts';
import type { ErrorDocument } from './runtime/messages.ts';

const RETRY_DELAYS_MS = [60_000, 120_000];

interface KeptEvent {
  readonly functionName: string;
  readonly event: QueuedEvent;
}

interface QueuedEvent {
  readonly requestId: string;
  /** JSON */
  readonly payload: string;
  readonly clientContext: string | undefined;
  readonly traceId: string;
  readonly receivedAt: number;
  attempts: number;
}

type Condition = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';

export class AsyncInvocations {
  readonly #kernel: Kernel;
  readonly #invoker: Invoker;
  /** Events that wait for concurrency, per function, oldest first. */
  readonly #waiting = new Map<LambdaFunction, QueuedEvent[]>();
  readonly #expiry = new Map<LambdaFunction, Timer>();
  /** Every event that is not done with: it waits, it runs, or it is to be tried again. */
  readonly #open = new Map<QueuedEvent, LambdaFunction>();

  constructor(kernel: Kernel, invoker: Invoker, concurrency: Concurrency) {
    this.#kernel = kernel;
    this.#invoker = invoker;
    concurrency.onRelease = () => {
      for (const fn of this.#waiting.keys()) this.#pump(fn);
    };
  }

  /** Takes an event in; it has been accepted when this returns. */
  enqueue(fn: LambdaFunction, event: Omit<QueuedEvent, 'attempts' | 'receivedAt'>): void {
    this.#invoker.record(fn, { AsyncEventsReceived: 1 });
    const queued = { ...event, attempts: 0, receivedAt: this.#kernel.clock.now() };
    this.#queue(fn, queued);
    // "an event might be delivered more than once": invocation-async-error-handling.html
    const facts = { function: fn.configuration.name };
    if (this.#kernel.faults.draw('invocation', facts, { harms: ['duplicate'] })) this.#queue(fn, { ...queued });
  }

  /** Forgets the events of a function that is deleted. */
  drop(fn: LambdaFunction): void {
    for (const [event, each] of this.#open) if (each === fn) this.#open.delete(event);
    this.#waiting.delete(fn);
    this.#expiry.get(fn)?.cancel();
    this.#expiry.delete(fn);
  }

  *save(): Generator<KeptRecord> {
    for (const [event, fn] of this.#open) {
      const kept: KeptEvent = { functionName: fn.configuration.name, event };
      yield [`event/${event.requestId}`, kept, `${event.requestId} ${event.attempts}`];
    }
  }

  /** Events that were under way are invoked again: an asynchronous event comes at least once. */
  restore(records: KeptRecords, find: (name: string) => LambdaFunction): void {
    for (const { functionName, event } of records.all<KeptEvent>('event/')) {
      this.#open.set(event, find(functionName));
    }
  }

  resume(): void {
    const inOrder = [...this.#open].sort(([a], [b]) => a.receivedAt - b.receivedAt);
    for (const [event, fn] of inOrder) this.#queue(fn, event);
  }

  #queue(fn: LambdaFunction, event: QueuedEvent): void {
    this.#open.set(event, fn);
    const waiting = this.#waiting.get(fn) ?? [];
    this.#waiting.set(fn, waiting);
    waiting.push(event);
    this.#pump(fn);
  }

  /** Starts as many waiting events as concurrency allows; what stays is tried again when an invocation ends. */
  #pump(fn: LambdaFunction): void {
    const waiting = this.#waiting.get(fn) ?? [];
    this.#dropExpired(fn, waiting);
    for (let event = waiting[0]; event; event = waiting[0]) {
      const running = this.#invoker.tryInvoke(fn, event);
      if (!running) break;
      waiting.shift();
      const started = event;
      started.attempts += 1;
      this.#kernel.activity.track(() => running.catch(notInvoked).then((result) => this.#settle(fn, started, result)));
    }
    if (waiting.length === 0) this.#waiting.delete(fn);
    else this.#expireLater(fn, waiting);
  }

  async #settle(fn: LambdaFunction, event: QueuedEvent, result: Invocation): Promise<void> {
    if (!result.failed) {
      await this.#report(fn, event, 'Success', result);
      this.#open.delete(event);
      return;
    }
    const settings = settingsOf(fn);
    const delayMs = RETRY_DELAYS_MS[event.attempts - 1] ?? 0;
    if (event.attempts > settings.maximumRetryAttempts) {
      await this.#discard(fn, event, 'RetriesExhausted', result);
    } else if (this.#kernel.clock.now() + delayMs >= deadlineOf(event, settings)) {
      await this.#discard(fn, event, 'EventAgeExceeded', result);
    } else {
      this.#kernel.clock.after(delayMs, () => this.#queue(fn, event));
    }
  }

  #dropExpired(fn: LambdaFunction, waiting: QueuedEvent[]): void {
    const now = this.#kernel.clock.now();
    const settings = settingsOf(fn);
    for (let event = waiting[0]; event && deadlineOf(event, settings) <= now; event = waiting[0]) {
      waiting.shift();
      const expired = event;
      this.#kernel.activity.track(() => this.#discard(fn, expired, 'EventAgeExceeded', undefined));
    }
  }

  #expireLater(fn: LambdaFunction, waiting: readonly QueuedEvent[]): void {
    const [oldest] = waiting;
    if (!oldest) return;
    this.#expiry.get(fn)?.cancel();
    const timer = this.#kernel.clock.at(deadlineOf(oldest, settingsOf(fn)), () => this.#pump(fn));
    this.#expiry.set(fn, timer);
  }

  async #discard(
    fn: LambdaFunction,
    event: QueuedEvent,
    condition: Condition,
    result: Invocation | undefined,
  ): Promise<void> {
    this.#invoker.record(fn, { AsyncEventsDropped: 1 });
    const { deadLetterArn } = fn.configuration;
    if (deadLetterArn !== undefined) {
      const error = result && (JSON.parse(result.payload) as ErrorDocument);
      const attributes = {
        RequestID: { DataType: 'String', StringValue: event.requestId },
        ErrorCode: { DataType: 'Number', StringValue: result ? '200' : '429' },
        ErrorMessage: { DataType: 'String', StringValue: (error?.errorMessage || condition).slice(0, 1024) },
      };
      await this.#send(fn, deadLetterArn, 'DeadLetterErrors', { body: event.payload, attributes });
    }
    await this.#report(fn, event, condition, result);
    this.#open.delete(event);
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
  async #report(
    fn: LambdaFunction,
    event: QueuedEvent,
    condition: Condition,
    result: Invocation | undefined,
  ): Promise<void> {
    const { onSuccess, onFailure } = settingsOf(fn);
    const destination = condition === 'Success' ? onSuccess : onFailure;
    if (destination === undefined) return;
    const document = {
      version: '1.0',
      timestamp: new Date(this.#kernel.clock.now()).toISOString(),
      requestContext: {
        requestId: event.requestId,
        functionArn: `${fn.arn}:$LATEST`,
        condition,
        approximateInvokeCount: event.attempts,
      },
      requestPayload: JSON.parse(event.payload),
      ...(result && {
        responseContext: {
          statusCode: 200,
          executedVersion: '$LATEST',
          ...(result.failed && { functionError: 'Unhandled' }),
        },
        responsePayload: JSON.parse(result.payload),
      }),
    };
    await this.#send(fn, destination, 'DestinationDeliveryFailures', {
      body: JSON.stringify(document),
      detailType: `Lambda Function Invocation Result - ${condition === 'Success' ? 'Success' : 'Failure'}`,
    });
  }

  async #send(
    fn: LambdaFunction,
    destination: string,
    failureMetric: string,
    message: {
      readonly body: string;
      readonly detailType?: string;
      readonly attributes?: Readonly<Record<string, { readonly DataType: string; readonly StringValue: string }>>;
    },
  ): Promise<void> {
    try {
      await sendToDestination(this.#kernel, destination, fn.assumeRole(), { ...message, functionArn: fn.arn });
    } catch (error) {
      this.#invoker.record(fn, { [failureMetric]: 1 });
      this.#kernel.log.error('Lambda could not send to a destination', {
        function: fn.configuration.name,
        destination,
        error,
      });
    }
  }
}

/** The role could not be assumed, or the function was deleted: that counts as a failed attempt. */
function notInvoked(error: unknown): Invocation {
  if (!(error instanceof AwsError)) throw error;
  const payload = JSON.stringify({ errorType: error.code, errorMessage: error.message });
  return { payload, failed: true, durationMs: 0, heapBytes: 0, tail: '' };
}

function settingsOf(fn: LambdaFunction): EventInvokeSettings {
  return fn.eventInvoke ?? DEFAULT_EVENT_INVOKE_SETTINGS;
}

function deadlineOf(event: QueuedEvent, { maximumEventAgeSeconds }: EventInvokeSettings): number {
  return event.receivedAt + maximumEventAgeSeconds * 1000;
}
