/** How notifications reach their destination: as S3, so that the policy of the queue, topic or function decides. */
import { parseArn } from '../../../kernel/arn.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { CallContext } from '../../../kernel/service.ts';
import type { Bucket } from '../bucket.ts';
import { hostIdOf } from '../host-id.ts';
import { invalidNotification, type Notification } from './notification.ts';

const SUBJECT = 'Amazon S3 Notification';
const NAMES = { queue: 'queue', topic: 'topic', function: 'Lambda function' } as const;

type Destination = Pick<Notification, 'kind' | 'arn'>;

/**
 * Sends one message.
 *
 * @throws AwsError of the destination: it does not exist, or its policy does not allow S3
 */
export async function deliver(kernel: Kernel, bucket: Bucket, { kind, arn }: Destination, body: string): Promise<void> {
  const caller = kernel.serviceCaller('s3.amazonaws.com', bucket.arn);
  if (kind === 'queue') {
    await kernel.call('sqs', 'SendMessage', { QueueUrl: queueUrl(kernel, arn), MessageBody: body }, caller);
  } else if (kind === 'topic') {
    await kernel.call('sns', 'Publish', { TopicArn: arn, Subject: SUBJECT, Message: body }, caller);
  } else {
    const input = { FunctionName: arn, InvocationType: 'Event', Payload: Buffer.from(body) };
    await kernel.call('lambda', 'Invoke', input, caller);
  }
}

function queueUrl(kernel: Kernel, arn: string): string {
  const parsed = parseArn(arn);
  return `${kernel.endpoint}/${parsed?.accountId}/${parsed?.resource}`;
}

const SERVICES: Readonly<Record<string, Notification['kind']>> = { sqs: 'queue', sns: 'topic', lambda: 'function' };

/** @throws AwsError InvalidArgument for an ARN of another service or Region */
export function checkDestination(kernel: Kernel, { kind, arn }: Destination): void {
  const parsed = parseArn(arn);
  if (parsed === undefined || SERVICES[parsed.service] !== kind) {
    throw invalidNotification('The ARN could not be parsed', { ArgumentName: NAMES[kind], ArgumentValue: arn });
  }
  if (parsed.region !== kernel.region) {
    throw invalidNotification(
      'The notification destination service region is not valid for the bucket location constraint',
    );
  }
}

/**
 * Tries the destinations of a new configuration: queues and topics get `s3:TestEvent`, the permission to invoke a
 * function is asked for.
 *
 * @throws AwsError InvalidArgument that names the first destination which does not take messages of this bucket
 */
export async function validateDestinations(
  kernel: Kernel,
  bucket: Bucket,
  notifications: readonly Notification[],
  { requestId }: CallContext,
): Promise<void> {
  const test = JSON.stringify({
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: new Date(kernel.clock.now()).toISOString(),
    Bucket: bucket.name,
    RequestId: requestId,
    HostId: hostIdOf(requestId),
  });
  const destinations = new Map(notifications.map((each) => [each.arn, each]));
  for (const destination of destinations.values()) {
    try {
      if (destination.kind === 'function') await askFunction(kernel, bucket, destination.arn);
      else await deliver(kernel, bucket, destination, test);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw invalidNotification('Unable to validate the following destination configurations', {
        ArgumentName1: destination.arn,
        ArgumentValue1: reason(destination, error),
      });
    }
  }
}

async function askFunction(kernel: Kernel, bucket: Bucket, FunctionName: string): Promise<void> {
  const caller = kernel.serviceCaller('s3.amazonaws.com', bucket.arn);
  await kernel.call('lambda', 'Invoke', { FunctionName, InvocationType: 'DryRun' }, caller);
}

function reason({ kind, arn }: Destination, error: AwsError): string {
  if (!error.code.startsWith('AccessDenied')) return `The destination ${NAMES[kind]} does not exist: ${error.message}`;
  return kind === 'function'
    ? `Not authorized to invoke function [${arn}]`
    : `Permissions on the destination ${kind} do not allow S3 to publish notifications from this bucket`;
}
