import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ROLLOUT_TICKS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { translation } from '../adapters/aggregates-table.ts';
import { NamedFirmwareShadows } from '../adapters/firmware-shadows.ts';
import { OffersTable } from '../adapters/offers-table.ts';
import { ReleasesTable } from '../adapters/releases-table.ts';
import { RolloutDevicesTable } from '../adapters/rollout-devices-table.ts';
import { RolloutQueue } from '../adapters/rollout-queue.ts';
import { RolloutReleases } from '../adapters/rollout-releases.ts';
import { RolloutsTable } from '../adapters/rollouts-table.ts';
import { SensorErrors } from '../adapters/sensor-errors.ts';
import { StoredReadings } from '../adapters/stored-readings.ts';
import { ThingListsTable } from '../adapters/thing-lists.ts';
import { ThingPresences } from '../adapters/thing-presences.ts';
import { LoggedReports } from '../rollouts/logged-reports.ts';
import { createHandler } from './handler.ts';

const environment = readEnvironment(ROLLOUT_TICKS_ENVIRONMENT, process.env);
const { FIRMWARE_TABLE, THINGS_TABLE, HISTORY_TABLE, AGGREGATES_TABLE, ROLLOUTS_QUEUE_URL } = environment;
const serviceName = 'rollout-ticks';
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const client = new DynamoDBClient({});
const tables = DynamoDBDocumentClient.from(client);
const readings = new StoredReadings(DynamoDBDocumentClient.from(client, translation), {
  history: HISTORY_TABLE,
  aggregates: AGGREGATES_TABLE,
});

export const handler = createHandler({
  rollouts: new RolloutsTable(tables, FIRMWARE_TABLE),
  devices: new RolloutDevicesTable(tables, FIRMWARE_TABLE),
  offers: new OffersTable(tables, FIRMWARE_TABLE),
  releases: new RolloutReleases(new ReleasesTable(tables, FIRMWARE_TABLE)),
  lists: new ThingListsTable(tables, THINGS_TABLE),
  presences: new ThingPresences(tables, THINGS_TABLE),
  errors: new SensorErrors(readings),
  shadows: new NamedFirmwareShadows(new IoTDataPlaneClient({})),
  ticks: new RolloutQueue(new SQSClient({}), ROLLOUTS_QUEUE_URL),
  reports: new LoggedReports(new Logger({ serviceName }), () =>
    metrics.addMetric('RolloutsStopped', MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  newId: (time) => ulidOf(time, randomBytes(ULID_RANDOM_BYTES)),
  now: () => Date.now(),
});
