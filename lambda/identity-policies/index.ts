import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { IDENTITY_POLICIES_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { AppConnections } from '../adapters/app-connections.ts';
import { ChannelsFunction } from '../adapters/channels-function.ts';
import { GrantEndings } from '../adapters/grant-endings.ts';
import { PeopleTable } from '../adapters/people-table.ts';
import { PersonPolicies } from '../adapters/person-policies.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(IDENTITY_POLICIES_ENVIRONMENT, process.env);
const serviceName = 'identity-policies';
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const people = new PeopleTable(DynamoDBDocumentClient.from(new DynamoDBClient({})), environment.ACCESS_TABLE);
const now = () => Date.now();

export const handler = createHandler({
  people,
  sessions: people,
  // AWS IoT allows 10 to 15 of these requests a second, for the whole account.
  policies: new PersonPolicies(new IoTClient({ maxAttempts: 6 })),
  connections: new AppConnections(new IoTDataPlaneClient({})),
  watching: new ChannelsFunction(new LambdaClient({}), environment.CHANNELS_FUNCTION),
  endings: new GrantEndings(new SQSClient({}), environment.ENDINGS_QUEUE_URL, now),
  reports: new LoggedReports(new Logger({ serviceName }), () =>
    metrics.addMetric('PeopleOverPolicyLimit', MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  partition: environment.PARTITION,
  now,
});
