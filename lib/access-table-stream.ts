import { Duration, Fn } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import {
  EventSourceMapping,
  FilterCriteria,
  FilterRule,
  type IFunction,
  type StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { allow } from './allow.ts';
import { STATE_EXPORTS } from './resource-names.ts';

interface AccessTableReader {
  readonly function: IFunction;
  /** Of the function. */
  readonly role: Role;
  /** Gets the position of what was given up. */
  readonly failed: IQueue;
  readonly startingPosition: StartingPosition;
  /** Of changes that one of them fits, the function is told: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html */
  readonly filters: readonly Readonly<Record<string, unknown>>[];
}

/** Has a function follow the changes of the access table, with 20 attempts for each batch and no more than six hours. */
export function readAccessTableStream(scope: Construct, reader: AccessTableReader): void {
  const { role, failed } = reader;
  const eventSourceArn = Fn.importValue(STATE_EXPORTS.accessTableStreamArn);
  allow(role, ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], eventSourceArn);
  allow(role, 'dynamodb:ListStreams', '*');
  acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', 'Listing streams has no narrower resource.');
  allow(role, 'sqs:SendMessage', failed.queueArn);
  const source = new EventSourceMapping(scope, 'StreamSource', {
    target: reader.function,
    eventSourceArn,
    startingPosition: reader.startingPosition,
    batchSize: 50,
    bisectBatchOnError: true,
    reportBatchItemFailures: true,
    retryAttempts: 20,
    maxRecordAge: Duration.hours(6),
    filters: reader.filters.map((each) => FilterCriteria.filter(each)),
    onFailure: { bind: () => ({ destination: failed.queueArn }) },
  });
  // Lambda checks when this is made that the role may read the stream.
  source.node.addDependency(role);
}

/** A filter for the rows of partitions that begin so; `sk` is a rule of `FilterRule` on their sort key. */
export function rows(pkPrefix: string, sk: unknown): Readonly<Record<string, unknown>> {
  return { dynamodb: { Keys: { pk: { S: FilterRule.beginsWith(pkPrefix) }, sk: { S: sk } } } };
}
