import { Duration } from 'aws-cdk-lib';
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { allow } from './allow.ts';
import type { NodeFunction } from './node-function.ts';

/**
 * What becomes of events on which a function fails that others call asynchronously: two more attempts (the most there are),
 * within six hours, then into the queue: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export function failuresInto(
  scope: Construct,
  { function: fn, role }: NodeFunction,
  queue: IQueue,
): CfnEventInvokeConfig {
  allow(role, 'sqs:SendMessage', queue.queueArn);
  const asynchronous = new CfnEventInvokeConfig(scope, 'AsynchronousInvocation', {
    functionName: fn.functionName,
    qualifier: '$LATEST',
    maximumRetryAttempts: 2,
    maximumEventAgeInSeconds: Duration.hours(6).toSeconds(),
    destinationConfig: { onFailure: { destination: queue.queueArn } },
  });
  // Lambda checks when this is made that the role may send to the queue.
  asynchronous.node.addDependency(role);
  return asynchronous;
}
