import { Logger } from '@aws-lambda-powertools/logger';
import { CognitoIdentityClient } from '@aws-sdk/client-cognito-identity';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ACCESS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { accessRoutes } from '@thingstead/contracts/routes/access';
import { AppIdentities } from '../adapters/app-identities.ts';
import { ChannelsFunction } from '../adapters/channels-function.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { OwnRows } from '../adapters/own-rows.ts';
import { OwnershipTable } from '../adapters/ownership-table.ts';
import { UserAccounts } from '../adapters/user-accounts.ts';
import { VoiceLinkRows } from '../adapters/voice-link-rows.ts';
import { accessTo } from '../authorization/access.ts';
import { createRoutesHandler } from '../http/routes-handler.ts';
import { accessHandlers } from './handlers.ts';
import { possessionsBy } from './possessions.ts';

const environment = readEnvironment(ACCESS_ENVIRONMENT, process.env);
const logger = new Logger({ serviceName: 'access' });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});
const grants = new GrantsTable(tables, environment.ACCESS_TABLE);
const now = () => Date.now();

const handlers = accessHandlers({
  people: new OwnRows(tables, environment.ACCESS_TABLE),
  accounts: new UserAccounts(new CognitoIdentityProviderClient({}), environment.USER_POOL_ID),
  identities: new AppIdentities(new CognitoIdentityClient({}), {
    region: process.env.AWS_REGION ?? '',
    userPoolId: environment.USER_POOL_ID,
    clientId: environment.APP_CLIENT_ID,
    identityPoolId: environment.IDENTITY_POOL_ID,
    endpoint: process.env.AWS_ENDPOINT_URL,
  }),
  possessions: possessionsBy({
    rows: new OwnershipTable(tables, environment.ACCESS_TABLE),
    reports: { done: (what, about) => logger.info(`access.${what}`, about) },
  }),
  notices: new ChannelsFunction(new LambdaClient({}), environment.CHANNELS_FUNCTION),
  voiceLinks: new VoiceLinkRows(tables, environment.VOICE_TABLE),
  reports: {
    identityNamed: (person, identityId) => logger.info('access.identity_named', { person, identityId }),
    deleted: (person) => logger.info('access.account_deleted', { person }),
  },
  now,
});

export const handler = createRoutesHandler(accessRoutes, handlers, {
  access: (person, target) => accessTo(person, target, { grants, now }),
  failed: (failure) => logger.error('request.failed', { ...failure, error: failure.error as Error }),
});
