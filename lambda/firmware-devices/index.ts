import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FIRMWARE_DEVICES_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { AssignmentKey } from '../adapters/assignment-key.ts';
import { DescriptionRows } from '../adapters/description-rows.ts';
import { FirmwareAnswers } from '../adapters/firmware-answers.ts';
import { FirmwareDeviceRows } from '../adapters/firmware-device-rows.ts';
import { FirmwareImages } from '../adapters/firmware-images.ts';
import { NamedFirmwareShadows } from '../adapters/firmware-shadows.ts';
import { OffersTable } from '../adapters/offers-table.ts';
import { ReleasesTable } from '../adapters/releases-table.ts';
import { RolloutDevicesTable } from '../adapters/rollout-devices-table.ts';
import { RolloutQueue } from '../adapters/rollout-queue.ts';
import { RolloutReleases } from '../adapters/rollout-releases.ts';
import { RolloutStates } from '../adapters/rollout-states.ts';
import { RolloutsTable } from '../adapters/rollouts-table.ts';
import { RunningVersionRows } from '../adapters/running-versions.ts';
import { ThingAttributes } from '../adapters/thing-attributes.ts';
import { ThingPresences } from '../adapters/thing-presences.ts';
import { TrustTable } from '../adapters/trust-table.ts';
import { LoggedReports as RolloutReports } from '../rollouts/logged-reports.ts';
import { offerCurrent } from '../rollouts/offer-current.ts';
import { onStatus } from '../rollouts/status.ts';
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
const releases = new RolloutReleases(new ReleasesTable(tables, FIRMWARE_TABLE));
const reports = new LoggedReports(logger, () =>
  metrics.addMetric('FirmwareMessagesRefused', MetricUnit.Count, 1).publishStoredMetrics(),
);

const rollouts = {
  rollouts: new RolloutsTable(tables, FIRMWARE_TABLE),
  devices: new RolloutDevicesTable(tables, FIRMWARE_TABLE),
  offers: new OffersTable(tables, FIRMWARE_TABLE),
  releases,
  presences: new ThingPresences(tables, THINGS_TABLE),
  shadows: new NamedFirmwareShadows(new IoTDataPlaneClient({})),
  ticks: new RolloutQueue(new SQSClient({}), environment.ROLLOUTS_QUEUE_URL),
  reports: new RolloutReports(logger),
  current: (product: string) => releases.current(product),
  newId: (time: number) => ulidOf(time, randomBytes(ULID_RANDOM_BYTES)),
  now,
};

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
    status: (of, said) => onStatus(of, said, rollouts),
    running: (thing, said) => offerCurrent(thing, said, rollouts),
  },
  answers: new FirmwareAnswers(new IoTDataPlaneClient({})),
  reports,
  failed: (error, thing) => logger.error('firmware.failed', { thing, error: error as Error }),
});
