import type { ResourceHandler, ResourceRequest } from '../../template/resource-handler.ts';

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
      for (const name of ['DisplayName', 'KmsMasterKeyId', 'SignatureVersion', 'TracingConfig']) {
        if (properties[name] !== undefined) Attributes[name] = String(properties[name]);
      }
      if (properties.DeliveryPolicy !== undefined)
        Attributes.DeliveryPolicy = JSON.stringify(properties.DeliveryPolicy);
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
  },
  {
    type: 'AWS::SNS::TopicPolicy',
    properties: { PolicyDocument: 'executed', Topics: 'executed' },
    async create({ kernel, caller, generatedName, properties }) {
      const AttributeValue = JSON.stringify(properties.PolicyDocument);
      for (const TopicArn of [properties.Topics].flat()) {
        await kernel.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue }, caller);
      }
      return { ref: generatedName, attributes: { Id: generatedName } };
    },
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
  },
];

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
