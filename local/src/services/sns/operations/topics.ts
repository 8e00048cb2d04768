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
import { Topic } from '../topic.ts';
import type { Topics } from '../topics.ts';

/** CreateTopic, for standard topics; the same again is the same topic, with other attributes or tags an error. */
export function createTopic(topics: Topics): AnyOperation {
  return operation<CreateTopicCommandInput, CreateTopicResponse>({
    permissions: ({ Name, Tags }) =>
      ['CreateTopic', ...(Tags?.length ? ['TagResource'] : [])].map((action) => {
        return { action: `sns:${action}`, resource: topics.kernel.arn('sns', String(Name)) };
      }),
    run(input) {
      const name = input.Name ?? '';
      if (name.endsWith('.fifo') || String(input.Attributes?.FifoTopic) === 'true') {
        throw fifoNotEmulated();
      }
      if (!/^[\w-]{1,256}$/.test(name)) throw invalidParameter(`Topic Name "${name}"`);
      const attributes = Object.entries(input.Attributes ?? {});
      const tags = (input.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value] as const);
      const arn = topics.kernel.arn('sns', name);
      const existing = topics.find(arn);
      if (existing) requireSame(existing, attributes, tags);
      else {
        // What is wrong with an attribute is found before there is a topic.
        const topic = new Topic(name, arn);
        for (const [key, value] of attributes) topic.setAttribute(key, value);
        for (const [key, value] of tags) topic.tags.set(key, value);
        topics.add(topic);
      }
      return { TopicArn: arn };
    },
  });
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** @throws AwsError InvalidParameter for a value that the topic has not */
function requireSame(topic: Topic, attributes: Pairs, tags: Pairs): void {
  if (attributes.some(([name, value]) => (topic.attributes.get(name) ?? '') !== value)) {
    throw invalidParameter('Attributes Reason: Topic already exists with different attributes');
  }
  if (tags.some(([key, value]) => topic.tags.get(key) !== value)) {
    throw invalidParameter('Tags Reason: Topic already exists with different tags');
  }
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
