import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnvironment, VOICE_ENVIRONMENT } from '@thingstead/contracts/environment';
import { UserPoolAccessTokens } from '../adapters/access-tokens.ts';
import { AlexaLinks } from '../adapters/alexa-links.ts';
import { IotDesiredShadows } from '../adapters/desired-shadows.ts';
import { GrantsTable } from '../adapters/grants-table.ts';
import { LoginWithAmazon } from '../adapters/login-with-amazon.ts';
import { LatestSensorReadings } from '../adapters/sensor-readings.ts';
import { secretReader } from '../adapters/skill-secret.ts';
import { VoiceThingsTable } from '../adapters/voice-things-table.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(VOICE_ENVIRONMENT, process.env);
/** Where all AWS services are, when not at their own addresses. */
const endpoint = process.env.AWS_ENDPOINT_URL;
const serviceName = 'voice';
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});
const kms = new KMSClient({});
const now = () => Date.now();
const readSecret = secretReader(new SecretsManagerClient({}));

export const handler = createHandler({
  tokens: new UserPoolAccessTokens(
    { userPoolId: environment.USER_POOL_ID, clientId: environment.ALEXA_CLIENT_ID },
    endpoint,
  ),
  grants: new GrantsTable(tables, environment.ACCESS_TABLE),
  things: new VoiceThingsTable(tables, environment.THINGS_TABLE),
  shadows: new IotDesiredShadows(new IoTDataPlaneClient({})),
  readings: new LatestSensorReadings(tables, environment.AGGREGATES_TABLE),
  authorizations: new LoginWithAmazon({
    tokenUrl: environment.LWA_TOKEN_URL,
    clientId: environment.SKILL_CLIENT_ID,
    clientSecret: () => readSecret(environment.SKILL_CLIENT_SECRET_ARN),
    now,
  }),
  links: new AlexaLinks(tables, kms, { table: environment.VOICE_TABLE, keyArn: environment.VOICE_KEY_ARN }),
  reports: new LoggedReports(new Logger({ serviceName }), () =>
    metrics.addMetric('DirectivesFailed', MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  now,
  pause: async (milliseconds) => {
    await pause(milliseconds);
  },
  newId: () => randomUUID(),
});
