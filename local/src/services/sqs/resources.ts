import type { CreateQueueResult, GetQueueAttributesResult } from '@aws-sdk/client-sqs';
import type { CreatedResource, ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';

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
      KmsMasterKeyId: 'declared',
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
  },
  {
    type: 'AWS::SQS::QueuePolicy',
    properties: { PolicyDocument: 'executed', Queues: 'executed' },
    async create({ kernel, caller, generatedName, properties }) {
      const Policy = JSON.stringify(properties.PolicyDocument);
      for (const QueueUrl of [properties.Queues].flat()) {
        await kernel.call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy } }, caller);
      }
      return { ref: generatedName, attributes: { Id: generatedName } };
    },
  },
];

async function createQueue(request: ResourceRequest): Promise<CreatedResource> {
  const { kernel, caller, properties } = request;
  const QueueName = String(properties.QueueName ?? request.generatedName.slice(-80));
  const Attributes: Record<string, string> = {};
  for (const name of ATTRIBUTES) {
    const value = properties[name];
    if (value !== undefined) Attributes[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
  const tags = Object.fromEntries(
    [properties.Tags ?? []].flat().map((each) => {
      const { Key, Value } = Object(each) as { Key?: unknown; Value?: unknown };
      return [String(Key), String(Value)];
    }),
  );
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
