import type {
  CreateTopicCommandInput,
  CreateTopicResponse,
  DeleteTopicCommandInput,
  GetTopicAttributesCommandInput,
  GetTopicAttributesResponse,
  ListTopicsCommandInput,
  ListTopicsResponse,
  SetTopicAttributesCommandInput,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { invalidParameter } from '../errors.ts';
import { fifoNotEmulated } from '../message.ts';
import { page } from '../page.ts';
import type { Topics } from '../topics.ts';

/** CreateTopic, for standard topics. */
export function createTopic(topics: Topics): AnyOperation {
  return operation<CreateTopicCommandInput, CreateTopicResponse>({
    permissions: (input) => [{ action: 'sns:CreateTopic', resource: topics.kernel.arn('sns', String(input.Name)) }],
    run(input) {
      const name = input.Name ?? '';
      if (name.endsWith('.fifo') || String(input.Attributes?.FifoTopic) === 'true') {
        throw fifoNotEmulated();
      }
      if (!/^[\w-]{1,256}$/.test(name)) throw invalidParameter(`Topic Name "${name}"`);
      const topic = topics.create(name);
      for (const [key, value] of Object.entries(input.Attributes ?? {})) topic.setAttribute(key, value);
      for (const { Key = '', Value = '' } of input.Tags ?? []) topic.tags.set(Key, Value);
      return { TopicArn: topic.arn };
    },
  });
}

export function deleteTopic(topics: Topics): AnyOperation {
  return operation<DeleteTopicCommandInput, Record<string, never>>({
    permissions: (input) => [{ action: 'sns:DeleteTopic', resource: String(input.TopicArn) }],
    run(input) {
      // Deleting a topic that does not exist is no error.
      topics.delete(input.TopicArn ?? '');
      return {};
    },
  });
}

export function listTopics(topics: Topics): AnyOperation {
  return operation<ListTopicsCommandInput, ListTopicsResponse>({
    permissions: () => [{ action: 'sns:ListTopics', resource: '*' }],
    run({ NextToken: token }) {
      const { items, NextToken } = page(topics.all, token);
      return { Topics: items.map(({ arn }) => ({ TopicArn: arn })), NextToken };
    },
  });
}

export function getTopicAttributes(topics: Topics): AnyOperation {
  return operation<GetTopicAttributesCommandInput, GetTopicAttributesResponse>({
    permissions: (input) => [topics.permission('GetTopicAttributes', input.TopicArn)],
    run(input) {
      const topic = topics.get(input.TopicArn);
      const count = (state: string) => topics.subscriptionsOf(topic).filter((each) => each.state === state).length;
      const { accountId } = topics.kernel;
      return {
        Attributes: {
          TopicArn: topic.arn,
          Owner: accountId,
          DisplayName: '',
          ...Object.fromEntries(topic.attributes),
          Policy: topic.policyText(accountId),
          EffectiveDeliveryPolicy: topic.effectiveDeliveryPolicy,
          SubscriptionsConfirmed: String(count('confirmed')),
          SubscriptionsPending: String(count('pending')),
          SubscriptionsDeleted: String(topic.deletedSubscriptions),
        },
      };
    },
  });
}

export function setTopicAttributes(topics: Topics): AnyOperation {
  return operation<SetTopicAttributesCommandInput, Record<string, never>>({
    permissions: (input) => [topics.permission('SetTopicAttributes', input.TopicArn)],
    run(input) {
      topics.get(input.TopicArn).setAttribute(input.AttributeName ?? '', input.AttributeValue ?? '');
      return {};
    },
  });
}
