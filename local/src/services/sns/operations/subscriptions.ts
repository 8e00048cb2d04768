import { randomUUID } from 'node:crypto';
import type {
  GetSubscriptionAttributesCommandInput,
  GetSubscriptionAttributesResponse,
  ListSubscriptionsByTopicCommandInput,
  ListSubscriptionsCommandInput,
  ListSubscriptionsResponse,
  SetSubscriptionAttributesCommandInput,
  SubscribeCommandInput,
  SubscribeResponse,
  UnsubscribeCommandInput,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidParameter } from '../errors.ts';
import type { Subscription, SubscriptionProtocol } from '../topic.ts';
import type { Topics } from '../topics.ts';

const ENDPOINTS: Readonly<Record<SubscriptionProtocol, RegExp>> = {
  email: /^[^@\s]+@[^@\s]+$/,
  'email-json': /^[^@\s]+@[^@\s]+$/,
  http: /^http:\/\//,
  https: /^https:\/\//,
  lambda: /^arn:aws:lambda:/,
  sms: /^\+?[\d -]{3,20}$/,
  sqs: /^arn:aws:sqs:/,
};

/** Subscribe. Nobody is asked to confirm: what goes to people and webhooks stays in the outbox of this machine. */
export function subscribe(topics: Topics): AnyOperation {
  return operation<SubscribeCommandInput, SubscribeResponse>({
    permissions: (input) => [topics.permission('Subscribe', input.TopicArn)],
    run(input) {
      const topic = topics.get(input.TopicArn);
      const protocol = protocolOf(input.Protocol);
      const endpoint = input.Endpoint ?? '';
      if (!ENDPOINTS[protocol].test(endpoint))
        throw invalidParameter(`Endpoint "${endpoint}" for protocol ${protocol}`);
      for (const existing of topic.subscriptions.values()) {
        if (existing.protocol === protocol && existing.endpoint === endpoint) return { SubscriptionArn: existing.arn };
      }
      const subscription: Subscription = {
        arn: `${topic.arn}:${randomUUID()}`,
        topicArn: topic.arn,
        protocol,
        endpoint,
        rawMessageDelivery: false,
        deadLetterArn: undefined,
      };
      for (const [name, value] of Object.entries(input.Attributes ?? {})) setAttribute(subscription, name, value);
      topic.subscriptions.set(subscription.arn, subscription);
      return { SubscriptionArn: subscription.arn };
    },
  });
}

function protocolOf(protocol: string | undefined): SubscriptionProtocol {
  if (protocol !== undefined && Object.hasOwn(ENDPOINTS, protocol)) return protocol as SubscriptionProtocol;
  if (protocol === 'application' || protocol === 'firehose') {
    throw new AwsError('NotEmulated', `The local runtime does not emulate subscriptions of protocol ${protocol}.`, 501);
  }
  throw invalidParameter(`Does not support this protocol string: ${protocol}`);
}

function setAttribute(subscription: Subscription, name: string, value: string): void {
  switch (name) {
    case 'RawMessageDelivery':
      if (subscription.protocol !== 'sqs' && value === 'true') {
        throw invalidParameter(`RawMessageDelivery is for queues here, not for ${subscription.protocol}`);
      }
      subscription.rawMessageDelivery = value === 'true';
      break;
    case 'RedrivePolicy':
      subscription.deadLetterArn = value === '' ? undefined : String(Object(JSON.parse(value)).deadLetterTargetArn);
      break;
    default:
      throw new AwsError('NotEmulated', `The local runtime does not emulate the subscription attribute ${name}.`, 501);
  }
}

export function setSubscriptionAttributes(topics: Topics): AnyOperation {
  return operation<SetSubscriptionAttributesCommandInput, Record<string, never>>({
    permissions: (input) => [
      { action: 'sns:SetSubscriptionAttributes', resource: topics.getSubscription(input.SubscriptionArn).topicArn },
    ],
    run(input) {
      const subscription = topics.getSubscription(input.SubscriptionArn);
      setAttribute(subscription, input.AttributeName ?? '', input.AttributeValue ?? '');
      return {};
    },
  });
}

export function getSubscriptionAttributes(topics: Topics): AnyOperation {
  return operation<GetSubscriptionAttributesCommandInput, GetSubscriptionAttributesResponse>({
    permissions: (input) => [
      { action: 'sns:GetSubscriptionAttributes', resource: topics.getSubscription(input.SubscriptionArn).topicArn },
    ],
    run(input) {
      const subscription = topics.getSubscription(input.SubscriptionArn);
      return {
        Attributes: {
          SubscriptionArn: subscription.arn,
          TopicArn: subscription.topicArn,
          Protocol: subscription.protocol,
          Endpoint: subscription.endpoint,
          Owner: topics.kernel.accountId,
          PendingConfirmation: 'false',
          RawMessageDelivery: String(subscription.rawMessageDelivery),
          ...(subscription.deadLetterArn !== undefined && {
            RedrivePolicy: JSON.stringify({ deadLetterTargetArn: subscription.deadLetterArn }),
          }),
        },
      };
    },
  });
}

export function unsubscribe(topics: Topics): AnyOperation {
  return operation<UnsubscribeCommandInput, Record<string, never>>({
    permissions: (input) => [
      { action: 'sns:Unsubscribe', resource: topics.getSubscription(input.SubscriptionArn).topicArn },
    ],
    run(input) {
      const { arn, topicArn } = topics.getSubscription(input.SubscriptionArn);
      topics.get(topicArn).subscriptions.delete(arn);
      return {};
    },
  });
}

export function listSubscriptions(topics: Topics): AnyOperation {
  return operation<ListSubscriptionsCommandInput, ListSubscriptionsResponse>({
    permissions: () => [{ action: 'sns:ListSubscriptions', resource: '*' }],
    run: () => ({ Subscriptions: topics.all.flatMap(({ subscriptions }) => show(topics, subscriptions.values())) }),
  });
}

export function listSubscriptionsByTopic(topics: Topics): AnyOperation {
  return operation<ListSubscriptionsByTopicCommandInput, ListSubscriptionsResponse>({
    permissions: (input) => [topics.permission('ListSubscriptionsByTopic', input.TopicArn)],
    run: (input) => ({ Subscriptions: show(topics, topics.get(input.TopicArn).subscriptions.values()) }),
  });
}

function show(topics: Topics, subscriptions: Iterable<Subscription>) {
  return [...subscriptions].map(({ arn, topicArn, protocol, endpoint }) => ({
    SubscriptionArn: arn,
    TopicArn: topicArn,
    Protocol: protocol,
    Endpoint: endpoint,
    Owner: topics.kernel.accountId,
  }));
}
