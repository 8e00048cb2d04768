import { queryProtocol } from '../../http/protocols/index.ts';
import { operation } from '../../kernel/define.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { publish, publishBatch } from './operations/publish.ts';
import {
  getSubscriptionAttributes,
  listSubscriptions,
  listSubscriptionsByTopic,
  setSubscriptionAttributes,
  subscribe,
  unsubscribe,
} from './operations/subscriptions.ts';
import { createTopic, deleteTopic, getTopicAttributes, listTopics, setTopicAttributes } from './operations/topics.ts';
import { Outbox, type OutboxMessage } from './outbox.ts';
import { Topics } from './topics.ts';

/**
 * Amazon SNS, standard topics: delivers to queues and functions. What would go to people and webhooks is kept in an
 * outbox, which the additional operation `ListOutbox` shows.
 */
export function createSnsService(kernel: Kernel): Service {
  const topics = new Topics(kernel);
  const outbox = new Outbox();
  return {
    name: 'sns',
    signingNames: ['sns'],
    protocols: [
      queryProtocol({
        apiVersion: '2010-03-31',
        namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
        maps: ['Attributes'],
        inputTypes: {
          Publish: { 'MessageAttributes.*.BinaryValue': 'blob' },
          PublishBatch: { 'PublishBatchRequestEntries.MessageAttributes.*.BinaryValue': 'blob' },
        },
      }),
    ],
    operations: {
      CreateTopic: createTopic(topics),
      DeleteTopic: deleteTopic(topics),
      GetSubscriptionAttributes: getSubscriptionAttributes(topics),
      GetTopicAttributes: getTopicAttributes(topics),
      ListOutbox: operation<unknown, { Messages: readonly OutboxMessage[] }>({
        permissions: () => [{ action: 'sns:ListOutbox', resource: '*' }],
        run: () => ({ Messages: outbox.messages }),
      }),
      ListSubscriptions: listSubscriptions(topics),
      ListSubscriptionsByTopic: listSubscriptionsByTopic(topics),
      ListTopics: listTopics(topics),
      Publish: publish(topics, outbox),
      PublishBatch: publishBatch(topics, outbox),
      SetSubscriptionAttributes: setSubscriptionAttributes(topics),
      SetTopicAttributes: setTopicAttributes(topics),
      Subscribe: subscribe(topics),
      Unsubscribe: unsubscribe(topics),
    },
  };
}
