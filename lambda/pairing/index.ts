import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PAIRING_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { pairingRoutes } from '@thingstead/contracts/routes/pairing';
import { DeviceRetirement } from '../adapters/device-retirement.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { InvitationsTable } from '../adapters/invitations-table.ts';
import { OwnershipTable } from '../adapters/ownership-table.ts';
import { PairingAttempts } from '../adapters/pairing-attempts.ts';
import { UserDirectory } from '../adapters/user-directory.ts';
import { accessTo } from '../authorization/access.ts';
import { createRoutesHandler } from '../http/routes-handler.ts';
import { pairingHandlers } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(PAIRING_ENVIRONMENT, process.env);
const serviceName = 'pairing';
const logger = new Logger({ serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});
const grants = new GrantsTable(tables, environment.ACCESS_TABLE);
const now = (): number => Date.now();

const handlers = pairingHandlers({
  rows: new OwnershipTable(tables, environment.ACCESS_TABLE),
  attempts: new PairingAttempts(tables, environment.ACCESS_TABLE),
  invitations: new InvitationsTable(tables, environment.ACCESS_TABLE),
  devices: new DeviceRetirement({
    iot: new IoTClient({}),
    data: new IoTDataPlaneClient({}),
    ...{ tables, registrationTable: environment.REGISTRATION_TABLE },
  }),
  directory: new UserDirectory(new CognitoIdentityProviderClient({}), environment.USER_POOL_ID),
  reports: new LoggedReports(logger),
  now,
  randomText: (bytes) => randomBytes(bytes).toString('base64url'),
});

export const handler = createRoutesHandler(pairingRoutes, handlers, {
  access: (person, target) => accessTo(person, target, { grants, now }),
  failed: ({ error, ...failure }) => {
    logger.error('pairing.failed', { ...failure, error: error as Error });
  },
});
