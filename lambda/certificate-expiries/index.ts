import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { CERTIFICATE_EXPIRIES_ENVIRONMENT, readEnvironment, readNumber } from '@thingstead/contracts/environment';
import { ClaimExpiries } from '../adapters/claim-expiries.ts';
import { createHandler } from './handler.ts';

const environment = readEnvironment(CERTIFICATE_EXPIRIES_ENVIRONMENT, process.env);
const serviceName = 'certificate-expiries';
const logger = new Logger({ serviceName });
const metrics = new Metrics({ namespace: 'Thingstead', serviceName });

export const handler = createHandler({
  claims: new ClaimExpiries(DynamoDBDocumentClient.from(new DynamoDBClient({})), environment.REGISTRATION_TABLE),
  reports: {
    counted: (expiring, days) => {
      logger.info('certificates.expiring', { expiring, days });
      metrics.addMetric('CertificatesExpiring', MetricUnit.Count, expiring).publishStoredMetrics();
    },
  },
  noticeDays: readNumber(environment, 'NOTICE_DAYS'),
  now: () => Date.now(),
  failed: (error) => logger.error('certificates.not_counted', { error: error as Error }),
});
