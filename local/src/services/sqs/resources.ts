import type { CreateQueueResult, GetQueueAttributesResult } from '@aws-sdk/client-sqs';
import { tagList } from '../../template/property-values.ts';
import type {
  CreatedResource,
  ExistingResource,
  ResourceHandler,
  ResourceRequest,
} from '../../template/resource-handler.ts';

/** Attributes that CloudFormation names as the API does. */
const ATTRIBUTES = [
  'DelaySeconds',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
];

/** What CloudFormation creates in SQS. */
export const sqsResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::SQS::Queue',
    properties: {
      DelaySeconds: 'executed',
      KmsDataKeyReusePeriodSeconds: 'declared',
      KmsMasterKeyId: 'executed',
      MaximumMessageSize: 'executed',
      MessageRetentionPeriod: 'executed',
      QueueName: 'executed',
      ReceiveMessageWaitTimeSeconds: 'executed',
      RedriveAllowPolicy: { redrivePermission: 'executed', sourceQueueArns: 'executed' },
      RedrivePolicy: { deadLetterTargetArn: 'executed', maxReceiveCount: 'executed' },
      SqsManagedSseEnabled: 'declared',
      Tags: [{ Key: 'executed', Value: 'executed' }],
      VisibilityTimeout: 'executed',
    },
    create: createQueue,
    update: { properties: [...ATTRIBUTES, 'Tags'], by: updateQueue },
    delete: ({ kernel, caller }, { ref: QueueUrl }) => kernel.call('sqs', 'DeleteQueue', { QueueUrl }, caller),
  },
  {
    type: 'AWS::SQS::QueuePolicy',
    properties: { PolicyDocument: 'executed', Queues: 'executed' },
    async create(request) {
      const { generatedName, properties } = request;
      await setPolicy(request, JSON.stringify(properties.PolicyDocument));
      return { ref: generatedName, attributes: { Id: generatedName } };
    },
    update: { properties: 'all', by: 'replace' },
    delete: (request) => setPolicy(request, ''),
  },
];

async function setPolicy({ kernel, caller, properties }: ResourceRequest, Policy: string): Promise<void> {
  for (const QueueUrl of [properties.Queues].flat()) {
    await kernel.call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy } }, caller);
  }
}

function attributesOf(properties: ResourceRequest['properties']): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ATTRIBUTES) {
    const value = properties[name];
    if (value !== undefined) attributes[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  return attributes;
}

function tagsOf(properties: ResourceRequest['properties']): Record<string, string> {
  return Object.fromEntries(tagList(properties.Tags).map(({ Key, Value }) => [Key, Value]));
}

/** An attribute that is no longer in the template is set to nothing, which gives the default. */
async function updateQueue(request: ResourceRequest, before: ExistingResource): Promise<CreatedResource> {
  const { kernel, caller, properties } = request;
  const { ref: QueueUrl } = before;
  const gone = Object.keys(attributesOf(before.properties)).map((name) => [name, '']);
  const Attributes = { ...Object.fromEntries(gone), ...attributesOf(properties) };
  await kernel.call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes }, caller);
  const TagKeys = Object.keys(tagsOf(before.properties));
  if (TagKeys.length > 0) await kernel.call('sqs', 'UntagQueue', { QueueUrl, TagKeys }, caller);
  await kernel.call('sqs', 'TagQueue', { QueueUrl, Tags: tagsOf(properties) }, caller);
  return before;
}

async function createQueue(request: ResourceRequest): Promise<CreatedResource> {
  const { kernel, caller, properties } = request;
  const QueueName = String(properties.QueueName ?? request.generatedName.slice(-80));
  const Attributes = attributesOf(properties);
  const tags = tagsOf(properties);
  const { QueueUrl } = await kernel.call<CreateQueueResult>(
    'sqs',
    'CreateQueue',
    { QueueName, Attributes, tags },
    caller,
  );
  const { Attributes: created } = await kernel.call<GetQueueAttributesResult>(
    'sqs',
    'GetQueueAttributes',
    { QueueUrl, AttributeNames: ['QueueArn'] },
    caller,
  );
  return { ref: String(QueueUrl), attributes: { Arn: created?.QueueArn, QueueName, QueueUrl } };
}
