import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { ONBOARDING_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { OnboardingSettings } from '@thingstead/contracts/onboarding';
import { parseRow } from '@thingstead/contracts/validate';
import { DescriptionRows } from '../adapters/description-rows.ts';
import { FirstShadows } from '../adapters/first-shadows.ts';
import { RegisterAnswers } from '../adapters/register-answers.ts';
import { ThingAttributes } from '../adapters/thing-attributes.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(ONBOARDING_ENVIRONMENT, process.env);
const serviceName = 'onboarding';
const logger = new Logger({ serviceName });
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const data = new IoTDataPlaneClient({});

export const handler = createHandler({
  registry: new ThingAttributes(new IoTClient({})),
  descriptions: new DescriptionRows(tables, environment.THINGS_TABLE),
  shadows: new FirstShadows(data, new IoTDataPlaneClient({ maxAttempts: 1 })),
  answers: new RegisterAnswers(data),
  reports: new LoggedReports(logger, () =>
    metrics.addMetric('DescriptionsRejected', MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  settings: parseRow(OnboardingSettings, JSON.parse(environment.ONBOARDING_SETTINGS), 'ONBOARDING_SETTINGS'),
  now: () => Date.now(),
  failed: (error, thing) => logger.error('onboarding.failed', { thing, error: error as Error }),
});
