import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NOTIFICATIONS_ENVIRONMENT, readEnvironment, readNumber } from '@thingstead/contracts/environment';
import { DeliveriesTable } from '../adapters/deliveries-table.ts';
import { PersonTopics } from '../adapters/person-topics.ts';
import { UnconfirmedQueue } from '../adapters/unconfirmed-queue.ts';
import { WatchersTable } from '../adapters/watchers-table.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(NOTIFICATIONS_ENVIRONMENT, process.env);
const serviceName = 'notifications';
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const table = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});
/** A second attempt could be a second message. A time limit, so that what is unknown is known to be so while there is time left. */
const sns = new SNSClient({
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
});

export const handler = createHandler({
  directory: new WatchersTable(table, environment.NOTIFICATIONS_TABLE),
  deliveries: new DeliveriesTable(table, environment.NOTIFICATIONS_TABLE),
  topics: new PersonTopics(sns),
  failures: new UnconfirmedQueue(new SQSClient({}), environment.FAILED_QUEUE_URL),
  reports: new LoggedReports(new Logger({ serviceName }), () =>
    metrics.addMetric('NoticesOverLimit', MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  dailyLimit: readNumber(environment, 'NOTICES_PER_DAY'),
  now: () => Date.now(),
  newToken: () => randomUUID(),
});
