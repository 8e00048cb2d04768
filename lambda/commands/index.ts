import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { COMMANDS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { commandsRoutes } from '@thingstead/contracts/routes/commands';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { CommandQueue } from '../adapters/command-queue.ts';
import { CommandsTable } from '../adapters/commands-table.ts';
import { ConnectedThings } from '../adapters/connected-things.ts';
import { DeviceCommandTopics } from '../adapters/device-command-topics.ts';
import { GivenCommandsTable } from '../adapters/given-commands-table.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { accessTo } from '../authorization/access.ts';
import { LoggedReports } from '../command-deliveries/logged-reports.ts';
import { createRoutesHandler } from '../http/routes-handler.ts';
import { commandsHandlers } from './handlers.ts';

const environment = readEnvironment(COMMANDS_ENVIRONMENT, process.env);
const logger = new Logger({ serviceName: 'commands' });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const grants = new GrantsTable(tables, environment.ACCESS_TABLE);
const now = (): number => Date.now();

const handlers = commandsHandlers({
  commands: new CommandsTable(tables, environment.COMMANDS_TABLE),
  given: new GivenCommandsTable(tables, environment.COMMANDS_TABLE),
  topics: new DeviceCommandTopics(new IoTDataPlaneClient({})),
  ticks: new CommandQueue(new SQSClient({}), environment.COMMANDS_QUEUE_URL),
  things: new ConnectedThings(tables, environment.THINGS_TABLE),
  reports: new LoggedReports(logger),
  newId: (time) => ulidOf(time, randomBytes(ULID_RANDOM_BYTES)),
  now,
});

export const handler = createRoutesHandler(commandsRoutes, handlers, {
  access: (person, target) => accessTo(person, target, { grants, now }),
  failed: (failure) => logger.error('request.failed', { ...failure, error: failure.error as Error }),
});
