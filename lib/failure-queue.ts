import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Alarms } from './alarms.ts';

export interface FailureQueueProps {
  /** The queue is `thingstead-<name>`, its alarm `thingstead-<name>-queue`. */
  readonly name: string;
  readonly alarms: Alarms;
  /** What it means that a message is in it, and what to do. */
  readonly errorImpact: string;
}

/** Where something that failed waits for the operator: encrypted, kept as long as SQS can (14 days), with an alarm. */
export class FailureQueue extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { name, alarms, errorImpact }: FailureQueueProps) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      queueName: `thingstead-${name}`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    alarms.onMessages(this.queue, { name: `${name}-queue`, errorImpact });
    acknowledge(
      this.queue,
      'AwsSolutions-SQS3',
      'This is where failures end; no code of ours receives from it, so nothing can fail again.',
    );
  }
}
