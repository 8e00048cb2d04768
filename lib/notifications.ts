import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { FailureQueue } from './failure-queue.ts';

export interface NotificationsProps {
  readonly alarms: Alarms;
}

/** What people are told, on the channels they have chosen. */
export class Notifications extends Construct {
  /** Takes notices: `Notice` of the contracts. */
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { alarms }: NotificationsProps) {
    super(scope, id);
    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'notices-failed',
      alarms,
      errorImpact: 'A notice could not be sent, or it is not known whether it was. The message has it in full.',
    });
    this.queue = new Queue(this, 'Queue', {
      queueName: 'thingstead-notices',
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      visibilityTimeout: Duration.minutes(6),
      deadLetterQueue: { queue: failed.queue, maxReceiveCount: 5 },
    });
  }
}
