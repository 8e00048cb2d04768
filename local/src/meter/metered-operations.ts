/** Operations whose charge can be told from what was asked and answered; the dispatch counts them. */
import { increments, REQUEST_BYTES } from './increments.ts';
import type { Meter } from './meter.ts';
import type { BillableItem } from './prices.ts';

/** Counts one call that succeeded. */
export type CountCall = (meter: Meter, input: unknown, output: unknown) => void;

type Members = Readonly<Record<string, unknown>>;
type Name = (input: Members) => string;

function members(value: unknown): Members {
  // The wire gives no types; what is read from it is checked where it is used.
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function once(item: BillableItem, nameOf: Name, operations: readonly string[]): Readonly<Record<string, CountCall>> {
  const count: CountCall = (meter, input) => meter.add(item, nameOf(members(input)));
  return Object.fromEntries(operations.map((operation) => [operation, count]));
}

function named(member: string): Name {
  return (input) => lastPart(input[member]);
}

/** The name at the end of an address or ARN. */
function lastPart(value: unknown): string {
  const text = String(value ?? '');
  return text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf(':')) + 1);
}

function bytesIn(value: unknown): number {
  return value instanceof Uint8Array ? value.length : 0;
}

function textBytes(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

/** The bytes of a member of a request, or of each entry of a batch, together. */
function bytesOf(input: Members, list: string, member: string): number {
  const entries = input[list];
  if (!Array.isArray(entries)) return textBytes(input[member]);
  return entries.reduce((sum: number, entry) => sum + textBytes(members(entry)[member]), 0);
}

/** "Every 64 KB chunk of a payload is billed as 1 request"; what comes back of ReceiveMessage counts as well. */
const sqsRequest: CountCall = (meter, input, output) => {
  const asked = members(input);
  const bytes = bytesOf(asked, 'Entries', 'MessageBody') || bytesOf(members(output), 'Messages', 'Body');
  meter.add('sqsRequest', lastPart(asked.QueueUrl), increments(bytes, REQUEST_BYTES));
};

const SQS_OPERATIONS = [
  'ChangeMessageVisibility',
  'ChangeMessageVisibilityBatch',
  'DeleteMessage',
  'DeleteMessageBatch',
  'GetQueueAttributes',
  'GetQueueUrl',
  'ListQueues',
  'PurgeQueue',
  'ReceiveMessage',
  'SendMessage',
  'SendMessageBatch',
  'SetQueueAttributes',
];

const snsPublish: CountCall = (meter, input) => {
  const asked = members(input);
  const entries = asked.PublishBatchRequestEntries;
  const messages = Array.isArray(entries) ? entries.map(members) : [asked];
  let count = 0;
  for (const { Message } of messages) count += increments(textBytes(Message), REQUEST_BYTES);
  meter.add('snsPublish', lastPart(asked.TopicArn ?? asked.TargetArn ?? 'SMS'), count);
};

const SECRETS_OPERATIONS = [
  'CreateSecret',
  'DeleteSecret',
  'DescribeSecret',
  'GetRandomPassword',
  'GetSecretValue',
  'ListSecrets',
  'PutSecretValue',
  'RestoreSecret',
];

/** https://aws.amazon.com/iot-core/pricing/additional-details, "Registry": no other operation on the registry costs. */
const REGISTRY_OPERATIONS = [
  'AttachThingPrincipal',
  'CreateThing',
  'CreateThingType',
  'DescribeThing',
  'DescribeThingType',
  'ListPrincipalThings',
  'ListThingPrincipals',
  'ListThingTypes',
  'ListThings',
  'UpdateThing',
];

/** A log event counts 26 bytes more than its text (API_PutLogEvents). */
const EVENT_OVERHEAD_BYTES = 26;

const logEvents: CountCall = (meter, input) => {
  const asked = members(input);
  const count = Array.isArray(asked.logEvents) ? asked.logEvents.length : 0;
  meter.add(
    'logsIn',
    String(asked.logGroupName),
    bytesOf(asked, 'logEvents', 'message') + count * EVENT_OVERHEAD_BYTES,
  );
};

/**
 * https://aws.amazon.com/kms/pricing: requests to asymmetric keys cost more, except to those of RSA 2048, whose
 * signatures have 256 bytes.
 */
const kmsSignature: CountCall = (meter, input, output) => {
  const asked = members(input);
  const signature = asked.Signature ?? members(output).Signature;
  const isRsa2048 = String(asked.SigningAlgorithm).startsWith('RSA') && bytesIn(signature) === 256;
  meter.add(isRsa2048 ? 'kmsRequest' : 'kmsAsymmetric', lastPart(asked.KeyId));
};

const kmsPublicKey: CountCall = (meter, input, output) =>
  meter.add(members(output).KeySpec === 'RSA_2048' ? 'kmsRequest' : 'kmsAsymmetric', named('KeyId')(members(input)));

/** A ciphertext names its key, so Decrypt need not. */
const kmsRequest: CountCall = (meter, input, output) => {
  const { KeyId, keyId } = members(input);
  meter.add('kmsRequest', lastPart(KeyId ?? keyId ?? members(output).KeyId));
};

const KMS_OPERATIONS = [
  // S3 for who puts or gets an object; a service of the runtime asks this way (authorize-use.ts).
  'AuthorizeUse',
  'Decrypt',
  'DescribeKey',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GenerateRandom',
  'ReEncrypt',
  'VerifyMac',
];

/** Each event of an account's own counts by 64 KB; those of AWS services are free. */
const customEvents: CountCall = (meter, input) => {
  const { Entries } = members(input);
  for (const entry of Array.isArray(Entries) ? Entries.map(members) : []) {
    const bytes = textBytes(entry.Detail) + textBytes(entry.DetailType) + textBytes(entry.Source);
    meter.add('eventBridgeEvent', lastPart(entry.EventBusName ?? 'default'), increments(bytes, REQUEST_BYTES));
  }
};

/** GetMetricData costs for each metric that it asks for. */
const metricData: CountCall = (meter, input) => {
  const { MetricDataQueries } = members(input);
  meter.add('cloudwatchRequest', 'GetMetricData', Array.isArray(MetricDataQueries) ? MetricDataQueries.length : 1);
};

const CLOUDWATCH_OPERATIONS = [
  'DescribeAlarms',
  'GetMetricStatistics',
  'ListMetrics',
  'PutMetricAlarm',
  'PutMetricData',
  'SetAlarmState',
];

const BY_SERVICE: Readonly<Record<string, Readonly<Record<string, CountCall>>>> = {
  cloudwatch: {
    ...Object.fromEntries(
      CLOUDWATCH_OPERATIONS.map((name): [string, CountCall] => [name, (meter) => meter.add('cloudwatchRequest', name)]),
    ),
    GetMetricData: metricData,
  },
  events: { PutEvents: customEvents },
  iot: Object.fromEntries(
    REGISTRY_OPERATIONS.map((name): [string, CountCall] => [name, (meter) => meter.add('iotOperation', name)]),
  ),
  kms: {
    ...Object.fromEntries(KMS_OPERATIONS.map((name) => [name, kmsRequest])),
    GetPublicKey: kmsPublicKey,
    Sign: kmsSignature,
    Verify: kmsSignature,
  },
  logs: { PutLogEvents: logEvents },
  s3: {
    ...once('s3Write', named('Bucket'), [
      'CompleteMultipartUpload',
      'CopyObject',
      'CreateBucket',
      'CreateMultipartUpload',
      'ListMultipartUploads',
      'ListObjectsV2',
      'ListObjectVersions',
      'ListParts',
      'PutObject',
      'PutObjectTagging',
      'UploadPart',
      'UploadPartCopy',
    ]),
    ...once('s3Read', named('Bucket'), ['GetObject', 'GetObjectTagging', 'HeadBucket', 'HeadObject']),
  },
  secretsmanager: once('secretRequest', () => 'secrets', SECRETS_OPERATIONS),
  sns: { Publish: snsPublish, PublishBatch: snsPublish },
  sqs: Object.fromEntries(SQS_OPERATIONS.map((name) => [name, sqsRequest])),
};

/** How the dispatch counts an operation; undefined when it costs nothing, or the service counts it. */
export function countCallOf(service: string, operation: string): CountCall | undefined {
  const operations = Object.hasOwn(BY_SERVICE, service) ? BY_SERVICE[service] : undefined;
  return operations && Object.hasOwn(operations, operation) ? operations[operation] : undefined;
}
