import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PRESENCE_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { PresenceSettings } from '@thingstead/contracts/presence';
import { parseRow } from '@thingstead/contracts/validate';
import { IotBroker } from '../adapters/iot-broker.ts';
import { IotShadows } from '../adapters/iot-shadows.ts';
import { LatestReadings } from '../adapters/latest-readings.ts';
import { CheckQueue, NoticeQueue } from '../adapters/presence-queues.ts';
import { ThingsTable } from '../adapters/things-table.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(PRESENCE_ENVIRONMENT, process.env);
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});
const iot = new IoTDataPlaneClient({});
const queues = new SQSClient({});

export const handler = createHandler({
  things: new ThingsTable(tables, environment.THINGS_TABLE),
  broker: new IotBroker(iot),
  shadows: new IotShadows(iot),
  checks: new CheckQueue(queues, environment.CHECKS_QUEUE_URL),
  notices: new NoticeQueue(queues, environment.NOTICES_QUEUE_URL),
  readings: new LatestReadings(tables, environment.AGGREGATES_TABLE),
  reports: new LoggedReports(new Logger({ serviceName: 'presence' })),
  settings: parseRow(PresenceSettings, JSON.parse(environment.PRESENCE_SETTINGS), 'PRESENCE_SETTINGS'),
  now: () => Date.now(),
});
