/** Where Lambda sends what became of an invocation: with the permissions of the function's role. */

import { type Arn, parseArn } from '../../kernel/arn.ts';
import type { Caller } from '../../kernel/caller.ts';
import { AwsError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { invalidValue, notEmulatedMember } from './errors.ts';

/** The services that can be a destination; streams take queues and topics only. */
export type DestinationKind = 'sqs' | 'sns' | 'lambda' | 'events';

/**
 * Checks the ARN of a destination when it is configured.
 *
 * @throws AwsError InvalidParameterValueException, NotEmulated for an S3 bucket
 */
export function checkDestination(arn: string, operation: string, kinds: readonly DestinationKind[]): string {
  const service = parseArn(arn)?.service;
  if (service === 's3') throw notEmulatedMember(operation, `the S3 destination ${arn}`, 'use a queue or a topic');
  if (!kinds.some((kind) => kind === service)) {
    throw invalidValue(`The destination ARN ${arn} is invalid: it can be of ${kinds.join(', ')}.`);
  }
  return arn;
}

/** What policies see of the events that Lambda puts on a bus. */
const FROM_LAMBDA = { 'events:source': 'lambda' };

/** The action that sends to a destination, and how Lambda names it. */
const SENDING: Readonly<Record<DestinationKind, readonly [action: string, service: string]>> = {
  events: ['PutEvents', 'EVENTBRIDGE'],
  lambda: ['InvokeFunction', 'LAMBDA'],
  sns: ['Publish', 'SNS'],
  sqs: ['SendMessage', 'SQS'],
};

/**
 * Lambda asks when a destination is configured, so that no event is lost because of it later: the role's own policies have to
 * allow it (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html).
 *
 * @throws AwsError InvalidParameterValueException
 */
export function requireDestination(kernel: Kernel, role: Caller, destination: string | undefined): void {
  if (destination === undefined) return;
  // It has been checked to be one of these.
  const kind = parseArn(destination)?.service as DestinationKind;
  const [name, service] = SENDING[kind];
  try {
    kernel.iam.authorize(
      { caller: role, requestId: '' },
      { action: `${kind}:${name}`, resource: destination, ...(kind === 'events' && { context: FROM_LAMBDA }) },
    );
  } catch (cause) {
    if (!(cause instanceof AwsError)) throw cause;
    throw invalidValue(
      `The provided execution role does not have permissions to call ${name} on ${service}: ${cause.message}`,
    );
  }
}

export interface DestinationMessage {
  /** JSON */
  readonly body: string;
  /** Message attributes, for a queue or a topic. */
  readonly attributes?: Readonly<Record<string, { readonly DataType: string; readonly StringValue: string }>>;
  /** What EventBridge calls it. */
  readonly detailType?: string;
  readonly functionArn: string;
}

/**
 * Sends a message to a destination.
 *
 * @throws AwsError of the service: AccessDeniedException names role, action and destination
 */
export async function sendToDestination(
  kernel: Kernel,
  destination: string,
  role: Caller,
  message: DestinationMessage,
): Promise<void> {
  const arn = parseArn(destination);
  if (!arn) throw invalidValue(`The destination ARN ${destination} is invalid.`);
  const { service, operation, input } = requestFor(kernel, arn, destination, message);
  await kernel.call(service, operation, input, role);
}

function requestFor(kernel: Kernel, arn: Arn, destination: string, message: DestinationMessage) {
  const { body, attributes, functionArn } = message;
  switch (arn.service) {
    case 'sqs':
      return {
        service: 'sqs',
        operation: 'SendMessage',
        input: {
          QueueUrl: `${kernel.endpoint}/${arn.accountId}/${arn.resource}`,
          MessageBody: body,
          MessageAttributes: attributes,
        },
      };
    case 'sns':
      return {
        service: 'sns',
        operation: 'Publish',
        input: { TopicArn: destination, Message: body, MessageAttributes: attributes },
      };
    case 'lambda':
      return {
        service: 'lambda',
        operation: 'Invoke',
        input: { FunctionName: destination, InvocationType: 'Event', Payload: Buffer.from(body) },
      };
    default:
      return {
        service: 'events',
        operation: 'PutEvents',
        input: {
          Entries: [
            {
              EventBusName: destination,
              Source: 'lambda',
              DetailType: message.detailType,
              Detail: body,
              Resources: [`${functionArn}:$LATEST`, destination],
            },
          ],
        },
      };
  }
}
