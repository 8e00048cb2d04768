/**
 * What AWS charges for, and how much: list prices of us-east-1 in US dollars, first tier, without free tier and data
 * transfer, as of November 2026. docs/cost.md says where each figure comes from.
 */

export interface Price {
  /** As the bill calls it: `AWS IoT Core`. */
  readonly service: string;
  readonly item: string;
  /** What a quantity is told in: `message`, `GB`. */
  readonly unit: string;
  /** How many of what is counted are one unit: a gibibyte for items that are counted in bytes. */
  readonly unitSize?: number;
  /** US dollars for `per` units. */
  readonly usd: number;
  readonly per: number;
  /** For what costs by time: how long a unit is, in milliseconds. A unit that has begun is charged. */
  readonly stepMs?: number;
  /** For what is charged once a month however long it is used: people, not devices. */
  readonly byMonth?: true;
}

const MILLION = 1_000_000;
/** "1,048,576 KB/GB" in AWS's own examples. */
const GIB = 2 ** 30;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A month is 30 days, as in AWS's examples. */
export const HOURS_PER_MONTH = 720;
export const MINUTES_PER_MONTH = 43_200;

function perMillion(service: string, item: string, unit: string, usd: number): Price {
  return { service, item, unit, usd, per: MILLION };
}

function perTenThousand(service: string, item: string, unit: string, usd: number): Price {
  return { service, item, unit, usd, per: 10_000 };
}

function perGb(service: string, item: string, usd: number): Price {
  return { service, item, unit: 'GB', unitSize: GIB, usd, per: 1 };
}

function perHour(service: string, item: string, unit: string, usd: number): Price {
  return { service, item, unit, usd, per: 1, stepMs: HOUR_MS };
}

function activeUser(tier: string, usd: number): Price {
  return { service: COGNITO, item: `user pools, ${tier}`, unit: 'monthly active user', usd, per: 1, byMonth: true };
}

const IOT = 'AWS IoT Core';
const DYNAMODB = 'Amazon DynamoDB';
const KINESIS = 'Amazon Kinesis Data Streams';
const LAMBDA = 'AWS Lambda';
const CLOUDWATCH = 'Amazon CloudWatch';
const SNS = 'Amazon SNS';
const COGNITO = 'Amazon Cognito';
const KMS = 'AWS Key Management Service';
const SECRETS_MANAGER = 'AWS Secrets Manager';

const TABLE = {
  iotConnection: {
    ...perMillion(IOT, 'connectivity', 'connection-minute', 0.08),
    stepMs: MINUTE_MS,
  },
  iotMessage: perMillion(IOT, 'messaging', '5 KB message', 1.0),
  iotOperation: perMillion(IOT, 'device shadow and registry', '1 KB operation', 1.25),
  iotRule: perMillion(IOT, 'rules triggered', '5 KB message', 0.15),
  iotAction: perMillion(IOT, 'rule actions', '5 KB message', 0.15),
  dynamodbWrite: perMillion(DYNAMODB, 'on-demand writes', 'write request unit', 0.625),
  dynamodbRead: perMillion(DYNAMODB, 'on-demand reads', 'read request unit', 0.125),
  dynamodbStreamRead: perMillion(DYNAMODB, 'streams reads', 'streams read request unit', 0.2),
  kinesisShard: perHour(KINESIS, 'provisioned shards', 'shard-hour', 0.015),
  kinesisPut: perMillion(KINESIS, 'provisioned PUT payload', '25 KB unit', 0.014),
  kinesisStream: perHour(KINESIS, 'on-demand streams', 'stream-hour', 0.04),
  kinesisIn: perGb(KINESIS, 'on-demand data in', 0.08),
  kinesisOut: perGb(KINESIS, 'on-demand data out', 0.04),
  firehoseIn: perGb('Amazon Data Firehose', 'data in', 0.029),
  s3Write: { service: 'Amazon S3', item: 'PUT, COPY and LIST requests', unit: 'request', usd: 0.005, per: 1000 },
  s3Read: { service: 'Amazon S3', item: 'GET and other requests', unit: 'request', usd: 0.0004, per: 1000 },
  httpApiRequest: perMillion('Amazon API Gateway', 'HTTP APIs', '512 KB request', 1.0),
  lambdaRequest: perMillion(LAMBDA, 'requests', 'request', 0.2),
  lambdaArm: { service: LAMBDA, item: 'duration, arm64', unit: 'GB-second', usd: 0.000_013_333_4, per: 1 },
  lambdaX86: { service: LAMBDA, item: 'duration, x86', unit: 'GB-second', usd: 0.000_016_666_7, per: 1 },
  sqsRequest: perMillion('Amazon SQS', 'standard requests', '64 KB request', 0.4),
  snsPublish: perMillion(SNS, 'publishes', '64 KB request', 0.5),
  snsHttp: perMillion(SNS, 'HTTP deliveries', 'notification', 0.6),
  snsPush: perMillion(SNS, 'mobile push deliveries', 'notification', 0.5),
  snsEmail: perMillion(SNS, 'e-mail deliveries', 'notification', 20),
  cognitoUserLITE: activeUser('Lite', 0.0055),
  cognitoUserESSENTIALS: activeUser('Essentials', 0.015),
  cognitoUserPLUS: activeUser('Plus', 0.02),
  secret: perHour(SECRETS_MANAGER, 'secrets', 'secret-hour', 0.4 / HOURS_PER_MONTH),
  secretRequest: { service: SECRETS_MANAGER, item: 'API calls', unit: 'request', usd: 0.05, per: 10_000 },
  kmsKey: perHour(KMS, 'keys', 'key-hour', 1 / HOURS_PER_MONTH),
  kmsRequest: perTenThousand(KMS, 'requests', 'request', 0.03),
  kmsAsymmetric: perTenThousand(KMS, 'requests, asymmetric but not RSA 2048', 'request', 0.15),
  eventBridgeEvent: perMillion('Amazon EventBridge', 'custom events', '64 KB event', 1.0),
  logsIn: perGb('Amazon CloudWatch Logs', 'data in', 0.5),
  cloudwatchAlarm: perHour(CLOUDWATCH, 'alarms', 'alarm-hour', 0.1 / HOURS_PER_MONTH),
  cloudwatchRequest: { service: CLOUDWATCH, item: 'API requests', unit: 'request', usd: 0.01, per: 1000 },
  cloudwatchMetric: perHour(CLOUDWATCH, 'custom metrics', 'metric-hour', 0.3 / HOURS_PER_MONTH),
} satisfies Record<string, Price>;

export type BillableItem = keyof typeof TABLE;

export const PRICES: Readonly<Record<BillableItem, Price>> = TABLE;

/** What so many of an item cost, in US dollars. `quantity` is in what is counted: messages, bytes. */
export function cost(item: BillableItem, quantity: number): number {
  const { unitSize = 1, usd, per }: Price = PRICES[item];
  return (quantity / unitSize / per) * usd;
}
