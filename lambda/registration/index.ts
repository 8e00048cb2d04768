import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { REGISTRATION_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { IotRegistry } from '../adapters/iot-registry.ts';
import { RegistrationTable } from '../adapters/registration-table.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(REGISTRATION_ENVIRONMENT, process.env);
const serviceName = 'registration';
const logger = new Logger({ serviceName });
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});

export const handler = createHandler({
  registry: new IotRegistry(new IoTClient({}), environment.DEVICE_POLICY),
  records: new RegistrationTable(tables, environment.REGISTRATION_TABLE),
  reports: new LoggedReports(logger, () =>
    metrics.addMetric('CertificatesHeld', MetricUnit.Count, 1).publishStoredMetrics(),
  ),
  settings: {
    manifest: environment.MANIFEST === 'required' ? 'required' : 'open',
    defaultThingType: environment.DEFAULT_THING_TYPE,
  },
  now: () => Date.now(),
  failed: (error, event) => logger.error('registration.failed', { event, error: error as Error }),
});
