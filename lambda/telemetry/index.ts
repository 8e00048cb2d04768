import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnvironment, readNumber, TELEMETRY_ENVIRONMENT } from '@thingstead/contracts/environment';
import { AggregatesTable, translation } from '../adapters/aggregates-table.ts';
import { QuarantineQueue } from '../adapters/quarantine-queue.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(TELEMETRY_ENVIRONMENT, process.env);
const serviceName = 'telemetry';
const logger = new Logger({ serviceName });
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), translation);

export const handler = createHandler({
  aggregates: new AggregatesTable(tables, environment.AGGREGATES_TABLE),
  quarantine: new QuarantineQueue(new SQSClient({}), environment.QUARANTINE_QUEUE_URL),
  reports: new LoggedReports(logger, () =>
    metrics.addMetric('ThingsOverExpectedRate', MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  settings: {
    aggregatesRetentionDays: readNumber(environment, 'AGGREGATES_RETENTION_DAYS'),
    expectedMessagesPerHour: readNumber(environment, 'EXPECTED_MESSAGES_PER_HOUR'),
    maxBackfillMs: readNumber(environment, 'MAX_BACKFILL_DAYS') * 86_400_000,
  },
});
