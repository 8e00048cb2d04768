import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FILES_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { FilesSettings } from '@thingstead/contracts/file-store';
import { filesRoutes } from '@thingstead/contracts/routes/files';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { parseRow } from '@thingstead/contracts/validate';
import { ConnectedThings } from '../adapters/connected-things.ts';
import { FileAnswers } from '../adapters/file-answers.ts';
import { FileDataKeys } from '../adapters/file-data-keys.ts';
import { FileObjects } from '../adapters/file-objects.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { TransferListsTable } from '../adapters/transfer-lists.ts';
import { TransfersTable } from '../adapters/transfers-table.ts';
import { accessTo } from '../authorization/access.ts';
import { LoggedReports } from '../file-transfers/logged-reports.ts';
import { createRoutesHandler } from '../http/routes-handler.ts';
import { filesHandlers } from './handlers.ts';

const environment = readEnvironment(FILES_ENVIRONMENT, process.env);
const logger = new Logger({ serviceName: 'files' });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const grants = new GrantsTable(tables, environment.ACCESS_TABLE);
const now = (): number => Date.now();

const handlers = filesHandlers({
  transfers: new TransfersTable(tables, environment.FILES_TABLE, now),
  lists: new TransferListsTable(tables, environment.FILES_TABLE),
  objects: new FileObjects(new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }), environment.FILES_BUCKET),
  keys: new FileDataKeys(new KMSClient({}), environment.FILES_KEY_ARN),
  answers: new FileAnswers(new IoTDataPlaneClient({})),
  things: new ConnectedThings(tables, environment.THINGS_TABLE),
  reports: new LoggedReports(logger),
  settings: parseRow(FilesSettings, JSON.parse(environment.FILES_SETTINGS), 'FILES_SETTINGS'),
  access: (person, thing) => accessTo(person, { kind: 'thing', name: thing }, { grants, now }),
  newId: (time) => ulidOf(time, randomBytes(ULID_RANDOM_BYTES)),
  now,
});

export const handler = createRoutesHandler(filesRoutes, handlers, {
  access: (person, target) => accessTo(person, target, { grants, now }),
  failed: (failure) => logger.error('request.failed', { ...failure, error: failure.error as Error }),
});
