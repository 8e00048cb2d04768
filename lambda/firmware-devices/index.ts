import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FIRMWARE_DEVICES_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { AssignmentKey } from '../adapters/assignment-key.ts';
import { DescriptionRows } from '../adapters/description-rows.ts';
import { FirmwareAnswers } from '../adapters/firmware-answers.ts';
import { FirmwareDeviceRows } from '../adapters/firmware-device-rows.ts';
import { FirmwareImages } from '../adapters/firmware-images.ts';
import { ReleasesTable } from '../adapters/releases-table.ts';
import { RolloutStates } from '../adapters/rollout-states.ts';
import { RunningVersionRows } from '../adapters/running-versions.ts';
import { ThingAttributes } from '../adapters/thing-attributes.ts';
import { TrustTable } from '../adapters/trust-table.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(FIRMWARE_DEVICES_ENVIRONMENT, process.env);
const { FIRMWARE_TABLE, FIRMWARE_BUCKET, THINGS_TABLE, ASSIGNMENT_KEY_ARN } = environment;
const serviceName = 'firmware-devices';
const logger = new Logger({ serviceName });
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const devices = new FirmwareDeviceRows(tables, FIRMWARE_TABLE);
const now = (): number => Date.now();
const reports = new LoggedReports(logger, () =>
  metrics.addMetric('FirmwareMessagesRefused', MetricUnit.Count, 1).publishStoredMetrics(),
);

export const handler = createHandler({
  grants: {
    devices,
    rollouts: new RolloutStates(tables, FIRMWARE_TABLE),
    releases: new ReleasesTable(tables, FIRMWARE_TABLE),
    trust: new TrustTable(tables, FIRMWARE_TABLE),
    assigner: new AssignmentKey(new KMSClient({}), ASSIGNMENT_KEY_ARN),
    images: new FirmwareImages(new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }), FIRMWARE_BUCKET, now),
    now,
  },
  running: {
    registry: new ThingAttributes(new IoTClient({})),
    descriptions: new DescriptionRows(tables, THINGS_TABLE),
    devices,
    versions: new RunningVersionRows(tables, THINGS_TABLE),
    attributes: reports,
  },
  updates: {
    status: async (_, said) => ({
      ok: false,
      answer: { type: said.type, code: 'busy', reason: 'no rollouts here yet', retry: true },
    }),
    running: async () => undefined,
  },
  answers: new FirmwareAnswers(new IoTDataPlaneClient({})),
  reports,
  failed: (error, thing) => logger.error('firmware.failed', { thing, error: error as Error }),
});
