import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { EXPIRING_GRANTS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { EndedGrants } from '../adapters/ended-grants.ts';
import { GrantEndings } from '../adapters/grant-endings.ts';
import { createHandler } from './handler.ts';

const environment = readEnvironment(EXPIRING_GRANTS_ENVIRONMENT, process.env);
const logger = new Logger({ serviceName: 'expiring-grants' });
const now = () => Date.now();

export const handler = createHandler({
  grants: new EndedGrants(DynamoDBDocumentClient.from(new DynamoDBClient({})), environment.ACCESS_TABLE),
  endings: new GrantEndings(new SQSClient({}), environment.ENDINGS_QUEUE_URL, now),
  ended: ({ person, target }) => logger.info('expiring_grants.ended', { person, target }),
  failed: (error) => logger.error('expiring_grants.failed', { error: error as Error }),
  now,
});
