import type {
  ConfirmSubscriptionCommandInput,
  ConfirmSubscriptionResponse,
  SubscribeCommandInput,
  SubscribeResponse,
  UnsubscribeCommandInput,
} from '@aws-sdk/client-sns';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { askForConfirmation } from '../confirm.ts';
import { invalidParameter } from '../errors.ts';
import type { Carrier } from '../send.ts';
import { Subscription, type SubscriptionProtocol } from '../subscription.ts';
import type { Topics } from '../topics.ts';

const ENDPOINTS: Readonly<Record<SubscriptionProtocol, RegExp>> = {
  application: /^arn:aws:sns:[^:]+:\d{12}:endpoint\//,
  email: /^[^@\s]+@[^@\s]+$/,
  'email-json': /^[^@\s]+@[^@\s]+$/,
  http: /^http:\/\/[^\s/]+/,
  https: /^https:\/\/[^\s/]+/,
  lambda: /^arn:aws:lambda:/,
  sms: /^\+?[\d -]{3,20}$/,
  sqs: /^arn:aws:sqs:/,
};

/**
 * Subscribe. HTTP endpoints and mail addresses are asked to confirm, all others belong to the account.
 * https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
 */
export function subscribe(topics: Topics, carrier: Carrier): AnyOperation {
  return operation<SubscribeCommandInput, SubscribeResponse>({
    permissions: (input) => {
      const permission = topics.permission('Subscribe', input.TopicArn);
      const context = { 'sns:Protocol': input.Protocol ?? '', 'sns:Endpoint': input.Endpoint ?? '' };
      return [{ ...permission, context }];
    },
    run(input, { caller }) {
      const topic = topics.get(input.TopicArn);
      const protocol = protocolOf(input.Protocol);
      const endpoint = endpointOf(protocol, input.Endpoint ?? '', carrier);
      const attributes = input.Attributes ?? {};
      const existing = topics
        .subscriptionsOf(topic)
        .find((each) => each.protocol === protocol && each.endpoint === endpoint);
      if (existing && !existing.hasAttributes(attributes)) {
        throw invalidParameter('Attributes Reason: Subscription already exists with different attributes');
      }
      const now = topics.kernel.clock.now();
      const subscription =
        existing ?? new Subscription({ topicArn: topic.arn, protocol, endpoint, principal: caller.arn, now });
      if (!existing) {
        for (const [name, value] of Object.entries(attributes)) subscription.setAttribute(name, value);
        topic.subscriptions.set(subscription.arn, subscription);
      }
      askForConfirmation(carrier, topic, subscription);
      const showArn = subscription.state === 'confirmed' || String(input.ReturnSubscriptionArn) === 'true';
      return { SubscriptionArn: showArn ? subscription.arn : 'pending confirmation' };
    },
  });
}

/** ConfirmSubscription with the token of a confirmation. */
export function confirmSubscription(topics: Topics): AnyOperation {
  return operation<ConfirmSubscriptionCommandInput, ConfirmSubscriptionResponse>({
    permissions: (input) => [topics.permission('ConfirmSubscription', input.TopicArn)],
    run: (input) => confirm(topics, input, true),
  });
}

/** `authenticated`: the request was signed. Throws NotFound, InvalidParameter for a token that is wrong or too old. */
export function confirm(
  topics: Topics,
  { TopicArn, Token, AuthenticateOnUnsubscribe }: ConfirmSubscriptionCommandInput,
  authenticated: boolean,
): ConfirmSubscriptionResponse {
  const subscription = topics.findByToken(topics.get(TopicArn), Token ?? '');
  if (!subscription) throw invalidParameter('Token');
  if (String(AuthenticateOnUnsubscribe) === 'true') {
    if (!authenticated) throw new AwsError('AuthorizationError', 'AuthenticateOnUnsubscribe needs a signature', 403);
    subscription.authenticateOnUnsubscribe = true;
  }
  if (subscription.state !== 'confirmed') {
    subscription.state = 'confirmed';
    subscription.confirmationWasAuthenticated = authenticated;
  }
  return { SubscriptionArn: subscription.arn };
}

/**
 * Unsubscribe by who may; the links in notifications go another way. What is not confirmed cannot be ended, it lapses.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-delete-subscription-topic.html
 */
export function unsubscribe(topics: Topics): AnyOperation {
  return operation<UnsubscribeCommandInput, Record<string, never>>({
    permissions: (input) => [
      { action: 'sns:Unsubscribe', resource: topics.getSubscription(input.SubscriptionArn).topicArn },
    ],
    run(input) {
      const { arn, topicArn, state } = topics.getSubscription(input.SubscriptionArn);
      if (state === 'pending') {
        throw invalidParameter(
          'SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation',
        );
      }
      const topic = topics.get(topicArn);
      topic.subscriptions.delete(arn);
      topic.deletedSubscriptions += 1;
      return {};
    },
  });
}

function protocolOf(protocol: string | undefined): SubscriptionProtocol {
  if (protocol !== undefined && Object.hasOwn(ENDPOINTS, protocol)) return protocol as SubscriptionProtocol;
  if (protocol === 'firehose') {
    throw new AwsError('NotEmulated', `The local runtime does not emulate subscriptions of protocol ${protocol}.`, 501);
  }
  throw invalidParameter(`Does not support this protocol string: ${protocol}`);
}

function endpointOf(protocol: SubscriptionProtocol, endpoint: string, { platforms }: Carrier): string {
  if (!ENDPOINTS[protocol].test(endpoint)) throw invalidParameter(`Endpoint "${endpoint}" for protocol ${protocol}`);
  if (protocol === 'sqs' && endpoint.endsWith('.fifo'))
    throw invalidParameter('Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics');
  if (protocol === 'application' && !platforms.findEndpoint(endpoint)) {
    throw invalidParameter(`Endpoint Reason: Endpoint does not exist for endpoint arn ${endpoint}`);
  }
  return endpoint;
}
