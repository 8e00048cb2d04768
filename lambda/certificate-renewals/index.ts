import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KMSClient } from '@aws-sdk/client-kms';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { CertificateSettings } from '@thingstead/contracts/certificate-store';
import { CERTIFICATE_RENEWALS_ENVIRONMENT, readEnvironment } from '@thingstead/contracts/environment';
import { parseRow } from '@thingstead/contracts/validate';
import { CertificateAnswers } from '../adapters/certificate-answers.ts';
import { IotRegistry } from '../adapters/iot-registry.ts';
import { KmsSigner } from '../adapters/kms-signer.ts';
import { RenewalsTable } from '../adapters/renewals-table.ts';
import { createHandler } from './handler.ts';
import { LoggedReports } from './logged-reports.ts';

const environment = readEnvironment(CERTIFICATE_RENEWALS_ENVIRONMENT, process.env);
const serviceName = 'certificate-renewals';
const logger = new Logger({ serviceName });
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });
const tables = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
  marshallOptions: { removeUndefinedValues: true },
});

export const handler = createHandler({
  registry: new IotRegistry(new IoTClient({}), environment.DEVICE_POLICY),
  records: new RenewalsTable(tables, environment.REGISTRATION_TABLE),
  signer: new KmsSigner(new KMSClient({}), environment.CA_KEY_ARN),
  answers: new CertificateAnswers(new IoTDataPlaneClient({})),
  reports: new LoggedReports(logger, (name) => metrics.addMetric(name, MetricUnit.Count, 1).publishStoredMetrics()),
  settings: parseRow(CertificateSettings, JSON.parse(environment.CERTIFICATE_SETTINGS), 'CERTIFICATE_SETTINGS'),
  now: () => Date.now(),
  // The leading 01 keeps it positive and its length fixed.
  newSerialNumber: () => `01${randomBytes(15).toString('hex')}`,
});
