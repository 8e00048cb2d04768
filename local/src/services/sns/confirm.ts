/** How endpoints of other people come to a subscription, and leave it. */
import type { Kernel } from '../../kernel/kernel.ts';
import { withRetries } from './deliver.ts';
import { effectivePolicy } from './delivery-policy.ts';
import type { SnsDocument } from './documents.ts';
import { type Carrier, postDocument } from './send.ts';
import type { Subscription } from './subscription.ts';
import type { Topic } from './topic.ts';

/** Asks the owner of the endpoint whether it wants the messages, in the background. */
export function askForConfirmation(carrier: Carrier, topic: Topic, subscription: Subscription): void {
  if (subscription.state === 'confirmed') return;
  tell(carrier, topic, subscription, 'AWS Notification - Subscription Confirmation', () =>
    carrier.documents.subscriptionConfirmation(topic, subscription),
  );
}

/** Ends a subscription for somebody who followed the link: the owner of the endpoint can take it back. */
export function cancel(carrier: Carrier, topic: Topic, subscription: Subscription): void {
  subscription.state = 'cancelled';
  subscription.renewToken(carrier.kernel.clock.now());
  topic.deletedSubscriptions += 1;
  tell(carrier, topic, subscription, 'AWS Notification - Unsubscribe Confirmation', () =>
    carrier.documents.unsubscribeConfirmation(topic, subscription),
  );
}

function tell(
  carrier: Carrier,
  topic: Topic,
  subscription: Subscription,
  subject: string,
  document: () => Promise<SnsDocument>,
): void {
  const { kernel } = carrier;
  const { protocol, endpoint } = subscription;
  kernel.activity.track(async () => {
    if (protocol === 'http' || protocol === 'https') {
      const policy = effectivePolicy(topic.deliveryPolicy, subscription.deliveryPolicy).retries;
      const work = async () => postDocument(carrier, { topic, subscription }, await document());
      await withRetries(kernel, policy, work, async (error) => warn(kernel, subscription, error));
    } else if (protocol === 'email' || protocol === 'email-json') {
      const { Token = '', SubscribeURL = '', Message, ...rest } = await document();
      kernel.outbox.add({
        channel: 'email',
        destination: endpoint,
        topic: topic.arn,
        subject,
        message:
          protocol === 'email-json'
            ? JSON.stringify({ Token, SubscribeURL, Message, ...rest }, null, 2)
            : `${Message}\n${SubscribeURL}`,
        details: { confirmationToken: Token, subscribeUrl: SubscribeURL },
      });
    }
  });
}

function warn(kernel: Kernel, { endpoint, topicArn }: Subscription, error: unknown): void {
  kernel.log.warn('SNS could not ask for a confirmation', { topic: topicArn, endpoint, error });
}
