import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnvironment, VOICE_REPORTS_ENVIRONMENT } from '@thingstead/contracts/environment';
import { AlexaGateway } from '../adapters/alexa-gateway.ts';
import { AlexaLinks } from '../adapters/alexa-links.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { LoginWithAmazon } from '../adapters/login-with-amazon.ts';
import { GrantsByTarget } from '../adapters/people-of-targets.ts';
import { VoiceReportQueue } from '../adapters/report-queue.ts';
import { ReportedChanges } from '../adapters/reported-changes.ts';
import { secretReader } from '../adapters/skill-secret.ts';
import { VoiceThingsTable } from '../adapters/voice-things-table.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(VOICE_REPORTS_ENVIRONMENT, process.env);
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});
const kms = new KMSClient({});
const now = () => Date.now();
const readSecret = secretReader(new SecretsManagerClient({}));

export const handler = createHandler({
  grants: new GrantsTable(tables, environment.ACCESS_TABLE),
  people: new GrantsByTarget(tables, environment.ACCESS_TABLE),
  things: new VoiceThingsTable(tables, environment.THINGS_TABLE),
  links: new AlexaLinks(tables, kms, { table: environment.VOICE_TABLE, keyArn: environment.VOICE_KEY_ARN }),
  reported: new ReportedChanges(tables, environment.VOICE_TABLE),
  authorizations: new LoginWithAmazon({
    tokenUrl: environment.LWA_TOKEN_URL,
    clientId: environment.SKILL_CLIENT_ID,
    clientSecret: () => readSecret(environment.SKILL_CLIENT_SECRET_ARN),
    now,
  }),
  gateway: new AlexaGateway(environment.EVENT_GATEWAY_URL),
  queue: new VoiceReportQueue(new SQSClient({}), environment.REPORTS_QUEUE_URL),
  reports: new LoggedReports(new Logger({ serviceName: 'voice-reports' })),
  now,
  newId: () => randomUUID(),
});
