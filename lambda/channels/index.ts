import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { CHANNELS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { PushApplications } from '@thingstead/contracts/notifications';
import { parseRow } from '@thingstead/contracts/validate';
import { ChannelsTable } from '../adapters/channels-table.ts';
import { PlatformEndpoints } from '../adapters/platform-endpoints.ts';
import { Subscriptions } from '../adapters/subscriptions.ts';
import { ThingMaintenance } from '../adapters/thing-maintenance.ts';
import { createHandler } from './handler.ts';

const environment = readEnvironment(CHANNELS_ENVIRONMENT, process.env);
const logger = new Logger({ serviceName: 'channels' });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});
const sns = new SNSClient({});
const { apnsArn, fcmArn } = parseRow(PushApplications, JSON.parse(environment.PUSH_APPLICATIONS), 'PUSH_APPLICATIONS');

export const handler = createHandler({
  records: new ChannelsTable(tables, environment.NOTIFICATIONS_TABLE),
  topics: new Subscriptions(sns),
  endpoints: new PlatformEndpoints(sns),
  maintenance: new ThingMaintenance(tables, environment.THINGS_TABLE),
  applications: { apns: apnsArn, fcm: fcmArn },
  failed: (action, error) => logger.error('channels.failed', { action, error: error as Error }),
});
