import type {
  GetSubscriptionAttributesCommandInput,
  GetSubscriptionAttributesResponse,
  ListSubscriptionsByTopicCommandInput,
  ListSubscriptionsCommandInput,
  ListSubscriptionsResponse,
  SetSubscriptionAttributesCommandInput,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { page } from '../page.ts';
import type { Subscription } from '../subscription.ts';
import type { Topics } from '../topics.ts';

export function setSubscriptionAttributes(topics: Topics): AnyOperation {
  return operation<SetSubscriptionAttributesCommandInput, Record<string, never>>({
    permissions: (input) => [
      { action: 'sns:SetSubscriptionAttributes', resource: topics.getSubscription(input.SubscriptionArn).topicArn },
    ],
    run({ SubscriptionArn, AttributeName = '', AttributeValue = '' }) {
      topics.getSubscription(SubscriptionArn).setAttribute(AttributeName, AttributeValue);
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
      return { Attributes: subscription.describe(topics.get(subscription.topicArn), topics.kernel.accountId) };
    },
  });
}

export function listSubscriptions(topics: Topics): AnyOperation {
  return operation<ListSubscriptionsCommandInput, ListSubscriptionsResponse>({
    permissions: () => [{ action: 'sns:ListSubscriptions', resource: '*' }],
    run: (input) =>
      show(
        topics,
        topics.all.flatMap((topic) => topics.subscriptionsOf(topic)),
        input.NextToken,
      ),
  });
}

export function listSubscriptionsByTopic(topics: Topics): AnyOperation {
  return operation<ListSubscriptionsByTopicCommandInput, ListSubscriptionsResponse>({
    permissions: (input) => [topics.permission('ListSubscriptionsByTopic', input.TopicArn)],
    run: (input) => show(topics, topics.subscriptionsOf(topics.get(input.TopicArn)), input.NextToken),
  });
}

function show(topics: Topics, all: readonly Subscription[], token: string | undefined): ListSubscriptionsResponse {
  const { items, NextToken } = page(all, token);
  const Subscriptions = items.map(({ arn, state, topicArn, protocol, endpoint }) => ({
    SubscriptionArn: state === 'confirmed' ? arn : 'PendingConfirmation',
    TopicArn: topicArn,
    Protocol: protocol,
    Endpoint: endpoint,
    Owner: topics.kernel.accountId,
  }));
  return { Subscriptions, NextToken };
}
