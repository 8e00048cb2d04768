import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnvironment, THINGS_ENVIRONMENT } from '@thingstead/contracts/environment';
import { translation } from '../adapters/aggregates-table.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { OwnerRows } from '../adapters/owner-rows.ts';
import { StoredReadings } from '../adapters/stored-readings.ts';
import { ThingListsTable } from '../adapters/thing-lists.ts';
import { ThingRowsTable } from '../adapters/thing-rows.ts';
import { ThingShadows } from '../adapters/thing-shadows.ts';
import { createHandler } from './handler.ts';

const environment = readEnvironment(THINGS_ENVIRONMENT, process.env);
const serviceName = 'things';
const logger = new Logger({ serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), translation);

export const handler = createHandler({
  lists: new ThingListsTable(tables, environment.THINGS_TABLE),
  things: new ThingRowsTable(tables, environment.THINGS_TABLE),
  grants: new GrantsTable(tables, environment.ACCESS_TABLE),
  owners: new OwnerRows(tables, environment.ACCESS_TABLE),
  readings: new StoredReadings(tables, {
    history: environment.HISTORY_TABLE,
    aggregates: environment.AGGREGATES_TABLE,
  }),
  shadows: new ThingShadows(new IoTDataPlaneClient({}), new IoTDataPlaneClient({ maxAttempts: 1 })),
  now: () => Date.now(),
  failed: ({ error, ...failure }) => {
    logger.error('things.failed', { ...failure, error: error as Error });
  },
});
