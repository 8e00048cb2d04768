import { randomInt } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PAIRING_CODES_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { PairingAnswers } from '../adapters/pairing-answers.ts';
import { PairingCodesTable } from '../adapters/pairing-codes-table.ts';
import { ThingAttributes } from '../adapters/thing-attributes.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(PAIRING_CODES_ENVIRONMENT, process.env);
const logger = new Logger({ serviceName: 'pairing-codes' });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const registry = new ThingAttributes(new IoTClient({}));

export const handler = createHandler({
  registry: { exists: async (thing) => (await registry.thing(thing)) !== undefined },
  codes: new PairingCodesTable(tables, environment.ACCESS_TABLE),
  answers: new PairingAnswers(new IoTDataPlaneClient({})),
  reports: new LoggedReports(logger),
  now: () => Date.now(),
  randomBelow: (limit) => randomInt(limit),
  failed: (error, thing) => logger.error('pairing_code.failed', { thing, error: error as Error }),
});
