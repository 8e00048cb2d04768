import type { Kernel } from '../../kernel/kernel.ts';
import { recordMetrics, type ServiceMetric } from '../cloudwatch/record-metrics.ts';
import type { Queue } from './queue.ts';

/** "A queue is active for up to six hours after it contains messages or an action accesses it." */
const ACTIVE_MS = 6 * 3_600_000;

/**
 * The AWS/SQS metrics of one queue: sums as they happen, lengths after each change and at every minute while the queue
 * is active. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export class QueueMetrics {
  readonly #kernel: Kernel;
  readonly #queue: Queue;
  readonly #sums = new Map<string, number>();
  #activeUntil = Number.NEGATIVE_INFINITY;
  #flushing = false;
  #sampling = false;

  constructor(kernel: Kernel, queue: Queue) {
    this.#kernel = kernel;
    this.#queue = queue;
  }

  /** Adds to `NumberOfMessagesSent` and its siblings. */
  count(metricName: string, value: number): void {
    this.#sums.set(metricName, (this.#sums.get(metricName) ?? 0) + value);
    this.changed();
  }

  changed(): void {
    this.#activeUntil = this.#kernel.clock.now() + ACTIVE_MS;
    this.#sampleAtNextMinute();
    if (this.#flushing) return;
    this.#flushing = true;
    this.#kernel.activity.track(async () => {
      // One record for everything that happens in this turn of the event loop.
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#flushing = false;
      await this.#record();
    });
  }

  #sampleAtNextMinute(): void {
    if (this.#sampling) return;
    this.#sampling = true;
    const { clock } = this.#kernel;
    clock.at(Math.floor(clock.now() / 60_000) * 60_000 + 60_000, async () => {
      this.#sampling = false;
      if (this.#queue.oldestSentAt !== undefined) this.#activeUntil = clock.now() + ACTIVE_MS;
      await this.#record();
      if (clock.now() < this.#activeUntil) this.#sampleAtNextMinute();
    });
  }

  async #record(): Promise<void> {
    const { oldestSentAt } = this.#queue;
    const values: Record<string, number> = {
      ...Object.fromEntries(this.#sums),
      ApproximateNumberOfMessagesVisible: this.#queue.visibleCount,
      ApproximateNumberOfMessagesNotVisible: this.#queue.inFlightCount,
      ApproximateNumberOfMessagesDelayed: this.#queue.delayedCount,
    };
    this.#sums.clear();
    const dimensions = { QueueName: this.#queue.name };
    const metrics = Object.entries(values).map(
      ([metricName, value]): ServiceMetric => ({ namespace: 'AWS/SQS', metricName, dimensions, value, unit: 'Count' }),
    );
    const age = oldestSentAt === undefined ? 0 : Math.floor((this.#kernel.clock.now() - oldestSentAt) / 1000);
    metrics.push({
      namespace: 'AWS/SQS',
      metricName: 'ApproximateAgeOfOldestMessage',
      dimensions,
      value: age,
      unit: 'Seconds',
    });
    await recordMetrics(this.#kernel, this.#kernel.serviceCaller('sqs.amazonaws.com', this.#queue.arn), metrics);
  }
}
