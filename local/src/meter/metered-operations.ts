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

const BY_SERVICE: Readonly<Record<string, Readonly<Record<string, CountCall>>>> = {
  iot: Object.fromEntries(
    REGISTRY_OPERATIONS.map((name): [string, CountCall] => [name, (meter) => meter.add('iotOperation', name)]),
  ),
  logs: { PutLogEvents: logEvents },
  s3: {
    ...once('s3Write', named('Bucket'), [
      'CopyObject',
      'CreateBucket',
      'ListObjectsV2',
      'ListObjectVersions',
      'PutObject',
    ]),
    ...once('s3Read', named('Bucket'), ['GetObject', 'HeadBucket', 'HeadObject']),
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
