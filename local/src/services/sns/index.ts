import { createPost } from '../../http/post.ts';
import { queryProtocol } from '../../http/protocols/index.ts';
import { together } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { Documents } from './documents.ts';
import { MessageSigner } from './message-signer.ts';
import { platformApplicationOperations } from './operations/platform-applications.ts';
import { platformEndpointOperations } from './operations/platform-endpoints.ts';
import { publish, publishBatch } from './operations/publish.ts';
import { smsAttributeOperations } from './operations/sms-attributes.ts';
import { confirmSubscription, subscribe, unsubscribe } from './operations/subscribe.ts';
import {
  getSubscriptionAttributes,
  listSubscriptions,
  listSubscriptionsByTopic,
  setSubscriptionAttributes,
} from './operations/subscriptions.ts';
import { createTopic, deleteTopic, getTopicAttributes, listTopics, setTopicAttributes } from './operations/topics.ts';
import { PlatformApplications } from './platform-applications.ts';
import type { Carrier } from './send.ts';
import { Topics } from './topics.ts';
import { unsignedRequests } from './unsigned-requests.ts';

/**
 * Amazon SNS, standard topics: delivers to queues, functions and HTTP endpoints on this machine. What would go to people
 * is kept in the outbox. `rootCaFile` is the root that HTTPS endpoints on this machine may have their certificate from.
 */
export function createSnsService(kernel: Kernel, rootCaFile: string): Service {
  const topics = new Topics(kernel);
  const platforms = new PlatformApplications(kernel);
  const smsAttributes = new Map<string, string>();
  const signer = new MessageSigner();
  const carrier: Carrier = {
    kernel,
    platforms,
    documents: new Documents(kernel, signer),
    post: createPost(rootCaFile),
  };
  const protocol = queryProtocol({
    apiVersion: '2010-03-31',
    namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
    maps: ['Attributes', 'attributes'],
    inputTypes: {
      GetSMSAttributes: { attributes: 'list' },
      Publish: { 'MessageAttributes.*.BinaryValue': 'blob' },
      PublishBatch: { 'PublishBatchRequestEntries.MessageAttributes.*.BinaryValue': 'blob' },
    },
  });
  return {
    name: 'sns',
    signingNames: ['sns'],
    protocols: [protocol],
    unsigned: unsignedRequests({ topics, carrier, signer, protocol }),
    operations: {
      ConfirmSubscription: confirmSubscription(topics),
      CreateTopic: createTopic(topics),
      DeleteTopic: deleteTopic(topics),
      GetSubscriptionAttributes: getSubscriptionAttributes(topics),
      GetTopicAttributes: getTopicAttributes(topics),
      ListSubscriptions: listSubscriptions(topics),
      ListSubscriptionsByTopic: listSubscriptionsByTopic(topics),
      ListTopics: listTopics(topics),
      Publish: publish(topics, carrier),
      PublishBatch: publishBatch(topics, carrier),
      SetSubscriptionAttributes: setSubscriptionAttributes(topics),
      SetTopicAttributes: setTopicAttributes(topics),
      Subscribe: subscribe(topics, carrier),
      Unsubscribe: unsubscribe(topics),
      ...platformApplicationOperations(platforms),
      ...platformEndpointOperations(platforms),
      ...smsAttributeOperations(smsAttributes),
    },
    state: together(topics, platforms, {
      save: () => [['smsAttributes', smsAttributes]],
      restore(records) {
        for (const [name, value] of records.get<typeof smsAttributes>('smsAttributes') ?? []) {
          smsAttributes.set(name, value);
        }
      },
    }),
  };
}
