import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ROLLOUTS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { rolloutsRoutes } from '@thingstead/contracts/routes/rollouts';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { GrantsTable } from '../adapters/grants-table.ts';
import { OffersTable } from '../adapters/offers-table.ts';
import { ReleasesTable } from '../adapters/releases-table.ts';
import { RolloutDevicesTable } from '../adapters/rollout-devices-table.ts';
import { RolloutQueue } from '../adapters/rollout-queue.ts';
import { RolloutReleases } from '../adapters/rollout-releases.ts';
import { RolloutsTable } from '../adapters/rollouts-table.ts';
import { ThingListsTable } from '../adapters/thing-lists.ts';
import { accessTo } from '../authorization/access.ts';
import { createRoutesHandler } from '../http/routes-handler.ts';
import { rolloutsHandlers } from './handlers.ts';

const environment = readEnvironment(ROLLOUTS_ENVIRONMENT, process.env);
const { FIRMWARE_TABLE, THINGS_TABLE, ACCESS_TABLE, ROLLOUTS_QUEUE_URL } = environment;
const logger = new Logger({ serviceName: 'rollouts' });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const grants = new GrantsTable(tables, ACCESS_TABLE);
const now = (): number => Date.now();

const handlers = rolloutsHandlers({
  rollouts: new RolloutsTable(tables, FIRMWARE_TABLE),
  devices: new RolloutDevicesTable(tables, FIRMWARE_TABLE),
  offers: new OffersTable(tables, FIRMWARE_TABLE),
  releases: new RolloutReleases(new ReleasesTable(tables, FIRMWARE_TABLE)),
  lists: new ThingListsTable(tables, THINGS_TABLE),
  ticks: new RolloutQueue(new SQSClient({}), ROLLOUTS_QUEUE_URL),
  reports: { decided: (rollout, by, what) => logger.info('rollout.operated', { rollout, by, what }) },
  newId: (time) => ulidOf(time, randomBytes(ULID_RANDOM_BYTES)),
  now,
});

export const handler = createRoutesHandler(rolloutsRoutes, handlers, {
  access: (person, target) => accessTo(person, target, { grants, now }),
  failed: (failure) => logger.error('request.failed', { ...failure, error: failure.error as Error }),
});
