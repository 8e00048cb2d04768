import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { CallContext, Permission } from '../../kernel/service.ts';
import { useKey } from '../use-key.ts';
import { queueDoesNotExist } from './errors.ts';
import { type KeptMessage, type KeptQueue, Queue } from './queue.ts';
import { allowsRedriveFrom, type QueueSettings, restoreSettings } from './queue-attributes.ts';
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

  *save(): Generator<KeptRecord> {
    for (const { queue } of this.#queues.values()) yield* queue.save();
  }

  restore(records: KeptRecords): void {
    const messages = Map.groupBy(records.all<KeptMessage>('message/'), ({ queueName }) => queueName);
    for (const kept of records.all<KeptQueue>('queue/')) {
      const inOrder = (messages.get(kept.name) ?? []).sort((a, b) => a.order - b.order);
      this.create(kept.name, restoreSettings(kept.settings)).restore(kept, inOrder);
    }
  }

  delete(queue: Queue): void {
    queue.close();
    this.#queues.delete(queue.name);
  }

  /** Adds to a metric of the queue: `NumberOfMessagesSent` and its siblings. */
  count(queue: Queue, metricName: string, value: number): void {
    if (value > 0) this.#queues.get(queue.name)?.metrics.count(metricName, value);
  }

  /**
   * What producers and consumers of a queue with a key of KMS have to be allowed
   * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html).
   *
   * @throws AwsError KmsAccessDenied, KmsDisabled, KmsInvalidState, KmsInvalidKeyUsage, KmsNotFound
   */
  async requireKey(
    { arn, settings: { keyId } }: Queue,
    actions: readonly ('GenerateDataKey' | 'Decrypt')[],
    context: CallContext,
  ): Promise<void> {
    if (keyId === undefined) return;
    const encryptionContext = { 'aws:sqs:arn': arn };
    const key = {
      keyId,
      resourceArn: arn,
      service: 'sqs',
      encryptionContext,
      errorCode: (kind: string) => `Kms${kind}`,
    };
    await useKey(this.kernel, key, actions, context);
  }

  /** The permission for an action on a queue; its own policy takes part in the decision. */
  permission(action: string, queue: Queue): Permission {
    return { action: `sqs:${action}`, resource: queue.arn, resourcePolicy: queue.settings.policy };
  }
}
