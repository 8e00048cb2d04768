import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FILE_TRANSFERS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { FilesSettings } from '@thingstead/contracts/file-store';
import { parseRow } from '@thingstead/contracts/validate';
import { FileAnswers } from '../adapters/file-answers.ts';
import { FileDataKeys } from '../adapters/file-data-keys.ts';
import { FileObjects } from '../adapters/file-objects.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { TransfersTable } from '../adapters/transfers-table.ts';
import { accessTo } from '../authorization/access.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(FILE_TRANSFERS_ENVIRONMENT, process.env);
const serviceName = 'file-transfers';
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const grants = new GrantsTable(tables, environment.ACCESS_TABLE);
const now = (): number => Date.now();

export const handler = createHandler({
  transfers: new TransfersTable(tables, environment.FILES_TABLE, now),
  objects: new FileObjects(new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }), environment.FILES_BUCKET),
  keys: new FileDataKeys(new KMSClient({}), environment.FILES_KEY_ARN),
  answers: new FileAnswers(new IoTDataPlaneClient({})),
  reports: new LoggedReports(new Logger({ serviceName }), (metric) =>
    metrics.addMetric(metric, MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  settings: parseRow(FilesSettings, JSON.parse(environment.FILES_SETTINGS), 'FILES_SETTINGS'),
  access: (person, thing) => accessTo(person, { kind: 'thing', name: thing }, { grants, now }),
  now,
});
