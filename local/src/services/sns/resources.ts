import { AwsError } from '../../kernel/errors.ts';
import type {
  CreatedResource,
  ExistingResource,
  ResourceHandler,
  ResourceRequest,
} from '../../template/resource-handler.ts';

const TOPIC_ATTRIBUTES = ['DeliveryPolicy', 'DisplayName', 'KmsMasterKeyId', 'SignatureVersion', 'TracingConfig'];

/** What CloudFormation creates in SNS. */
export const snsResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::SNS::Topic',
    properties: {
      DeliveryPolicy: 'executed',
      DisplayName: 'declared',
      KmsMasterKeyId: 'executed',
      SignatureVersion: 'executed',
      Subscription: [{ Endpoint: 'executed', Protocol: 'executed' }],
      Tags: [{ Key: 'executed', Value: 'executed' }],
      TopicName: 'executed',
      TracingConfig: 'declared',
    },
    async create(request) {
      const { kernel, caller, properties } = request;
      const Name = String(properties.TopicName ?? request.generatedName);
      const Attributes: Record<string, string> = {};
      for (const name of TOPIC_ATTRIBUTES) {
        if (properties[name] !== undefined) Attributes[name] = attributeText(properties[name]);
      }
      const Tags = properties.Tags;
      const { TopicArn } = await kernel.call<{ TopicArn: string }>(
        'sns',
        'CreateTopic',
        { Name, Attributes, Tags },
        caller,
      );
      for (const subscription of [properties.Subscription ?? []].flat()) {
        await kernel.call('sns', 'Subscribe', { TopicArn, ...Object(subscription) }, caller);
      }
      return { ref: TopicArn, attributes: { TopicArn, TopicName: Name } };
    },
    update: { properties: TOPIC_ATTRIBUTES, by: updateTopic },
    delete: ({ kernel, caller }, { ref: TopicArn }) => kernel.call('sns', 'DeleteTopic', { TopicArn }, caller),
  },
  {
    type: 'AWS::SNS::TopicPolicy',
    properties: { PolicyDocument: 'executed', Topics: 'executed' },
    async create(request) {
      const { generatedName, properties } = request;
      await setPolicy(request, JSON.stringify(properties.PolicyDocument));
      return { ref: generatedName, attributes: { Id: generatedName } };
    },
    update: { properties: 'all', by: 'replace' },
    delete: (request) => setPolicy(request, ''),
  },
  {
    type: 'AWS::SNS::Subscription',
    properties: {
      DeliveryPolicy: 'executed',
      Endpoint: 'executed',
      FilterPolicy: 'executed',
      FilterPolicyScope: 'executed',
      Protocol: 'executed',
      RawMessageDelivery: 'executed',
      RedrivePolicy: { deadLetterTargetArn: 'executed' },
      TopicArn: 'executed',
    },
    create: createSubscription,
    update: { properties: 'all', by: 'replace' },
    delete: deleteSubscription,
  },
];

/** CloudFormation leaves alone what was never confirmed: SNS does not end it. */
async function deleteSubscription(
  { kernel, caller }: Pick<ResourceRequest, 'kernel' | 'caller'>,
  { ref: SubscriptionArn }: CreatedResource,
): Promise<void> {
  try {
    await kernel.call('sns', 'Unsubscribe', { SubscriptionArn }, caller);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'InvalidParameter') throw error;
  }
}

function attributeText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

async function setPolicy({ kernel, caller, properties }: ResourceRequest, AttributeValue: string): Promise<void> {
  for (const TopicArn of [properties.Topics].flat()) {
    await kernel.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue }, caller);
  }
}

async function updateTopic(
  { kernel, caller, properties }: ResourceRequest,
  before: ExistingResource,
): Promise<CreatedResource> {
  for (const AttributeName of TOPIC_ATTRIBUTES) {
    const AttributeValue = properties[AttributeName] === undefined ? '' : attributeText(properties[AttributeName]);
    const input = { TopicArn: before.ref, AttributeName, AttributeValue };
    await kernel.call('sns', 'SetTopicAttributes', input, caller);
  }
  return before;
}

async function createSubscription({ kernel, caller, properties }: ResourceRequest) {
  const { TopicArn, Protocol, Endpoint, FilterPolicyScope, RawMessageDelivery } = properties;
  const Attributes: Record<string, string> = {};
  // The scope says how the policy is read.
  if (FilterPolicyScope !== undefined) Attributes.FilterPolicyScope = String(FilterPolicyScope);
  if (RawMessageDelivery !== undefined) Attributes.RawMessageDelivery = String(RawMessageDelivery);
  for (const name of ['DeliveryPolicy', 'FilterPolicy', 'RedrivePolicy']) {
    if (properties[name] !== undefined) Attributes[name] = JSON.stringify(properties[name]);
  }
  const input = { TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true };
  const { SubscriptionArn } = await kernel.call<{ SubscriptionArn: string }>('sns', 'Subscribe', input, caller);
  return { ref: SubscriptionArn, attributes: { Arn: SubscriptionArn } };
}
