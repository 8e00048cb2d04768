import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { COMMANDS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { CommandQueue } from '../adapters/command-queue.ts';
import { CommandsTable } from '../adapters/commands-table.ts';
import { ConnectedThings } from '../adapters/connected-things.ts';
import { DeviceCommandTopics } from '../adapters/device-command-topics.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { accessTo } from '../authorization/access.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(COMMANDS_ENVIRONMENT, process.env);
const serviceName = 'command-deliveries';
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const grants = new GrantsTable(tables, environment.ACCESS_TABLE);
const now = (): number => Date.now();

export const handler = createHandler({
  commands: new CommandsTable(tables, environment.COMMANDS_TABLE),
  topics: new DeviceCommandTopics(new IoTDataPlaneClient({})),
  ticks: new CommandQueue(new SQSClient({}), environment.COMMANDS_QUEUE_URL),
  things: new ConnectedThings(tables, environment.THINGS_TABLE),
  access: (person, thing) => accessTo(person, { kind: 'thing', name: thing }, { grants, now }),
  reports: new LoggedReports(new Logger({ serviceName }), () =>
    metrics.addMetric('CommandOutcomesRefused', MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  now,
});
