import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FIRMWARE_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { firmwareRoutes } from '@thingstead/contracts/routes/firmware';
import { AssignmentKey } from '../adapters/assignment-key.ts';
import { FirmwareImages } from '../adapters/firmware-images.ts';
import { ReleasesTable } from '../adapters/releases-table.ts';
import { RegistryThingTypes } from '../adapters/thing-types.ts';
import { TrustTable } from '../adapters/trust-table.ts';
import { createRoutesHandler } from '../http/routes-handler.ts';
import { firmwareHandlers } from './handlers.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(FIRMWARE_ENVIRONMENT, process.env);
const logger = new Logger({ serviceName: 'firmware' });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const key = new AssignmentKey(new KMSClient({}), environment.ASSIGNMENT_KEY_ARN);
const now = (): number => Date.now();
// Else the SDK signs a checksum of the empty body into URLs.
const s3 = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' });

const handlers = firmwareHandlers({
  trust: new TrustTable(tables, environment.FIRMWARE_TABLE),
  releases: new ReleasesTable(tables, environment.FIRMWARE_TABLE),
  images: new FirmwareImages(s3, environment.FIRMWARE_BUCKET, now),
  thingTypes: new RegistryThingTypes(new IoTClient({})),
  assignmentKeyId: () => key.id(),
  reports: new LoggedReports(logger),
  now,
});

export const handler = createRoutesHandler(firmwareRoutes, handlers, {
  // All routes are for staff: no grant gives anything here.
  access: async () => undefined,
  failed: (failure) => logger.error('request.failed', { ...failure, error: failure.error as Error }),
});
