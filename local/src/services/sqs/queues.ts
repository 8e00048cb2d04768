import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import { queueDoesNotExist } from './errors.ts';
import { Queue } from './queue.ts';
import { allowsRedriveFrom, type QueueSettings } from './queue-attributes.ts';
import { QueueMetrics } from './queue-metrics.ts';

/** The queues of the account. */
export class Queues {
  readonly kernel: Kernel;
  readonly #queues = new Map<string, { readonly queue: Queue; readonly metrics: QueueMetrics }>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly Queue[] {
    return [...this.#queues.values()].map(({ queue }) => queue);
  }

  findByName(name: string): Queue | undefined {
    return this.#queues.get(name)?.queue;
  }

  findByArn(arn: string): Queue | undefined {
    const prefix = this.kernel.arn('sqs', '');
    return arn.startsWith(prefix) ? this.findByName(arn.slice(prefix.length)) : undefined;
  }

  /** @throws AwsError QueueDoesNotExist */
  getByUrl(queueUrl: string | undefined): Queue {
    const [account, name] = (queueUrl ?? '').split('/').slice(-2);
    const queue = account === this.kernel.accountId && name ? this.findByName(name) : undefined;
    if (!queue) throw queueDoesNotExist();
    return queue;
  }

  urlOf(queue: Queue): string {
    return `${this.kernel.endpoint}/${this.kernel.accountId}/${queue.name}`;
  }

  create(name: string, settings: QueueSettings): Queue {
    const queue: Queue = new Queue({ name, arn: this.kernel.arn('sqs', name) }, settings, this.kernel, {
      changed: () => metrics.changed(),
      redrive: (message) => {
        const target = this.findByArn(queue.settings.redrive?.deadLetterTargetArn ?? '');
        if (!target || !allowsRedriveFrom(target.settings, queue.arn)) return false;
        target.addMoved(message, queue.arn);
        return true;
      },
    });
    const metrics = new QueueMetrics(this.kernel, queue);
    this.#queues.set(name, { queue, metrics });
    return queue;
  }

  delete(queue: Queue): void {
    queue.close();
    this.#queues.delete(queue.name);
  }

  /** Adds to a metric of the queue: `NumberOfMessagesSent` and its siblings. */
  count(queue: Queue, metricName: string, value: number): void {
    if (value > 0) this.#queues.get(queue.name)?.metrics.count(metricName, value);
  }

  /** The permission for an action on a queue; its own policy takes part in the decision. */
  permission(action: string, queue: Queue): Permission {
    return { action: `sqs:${action}`, resource: queue.arn, resourcePolicy: queue.settings.policy };
  }
}
