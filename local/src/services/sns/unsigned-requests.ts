/** The links in confirmations and notifications, and the certificate: AWS answers them without a signature. */
import { AwsError } from '../../kernel/errors.ts';
import type { WireProtocol, WireRequest, WireResponse } from '../../kernel/wire.ts';
import { cancel } from './confirm.ts';
import type { MessageSigner } from './message-signer.ts';
import { confirm } from './operations/subscribe.ts';
import type { Carrier } from './send.ts';
import type { Topics } from './topics.ts';

export interface UnsignedOptions {
  readonly topics: Topics;
  readonly carrier: Carrier;
  readonly signer: MessageSigner;
  /** In which the links are written and answered. */
  readonly protocol: WireProtocol;
}

type Answer = (request: WireRequest, requestId: string) => Promise<WireResponse> | undefined;

/** Gives what answers these requests; undefined for all others. */
export function unsignedRequests(options: UnsignedOptions): Answer {
  const { carrier, signer, protocol } = options;
  return (request, requestId) => {
    if (request.method === 'GET' && request.path === signer.path) {
      return signer.certificate(carrier.kernel.clock.now()).then((body) => ({
        status: 200,
        headers: { 'content-type': 'application/x-pem-file' },
        body,
      }));
    }
    const action = request.query.get('Action');
    if (request.method !== 'GET' || (action !== 'ConfirmSubscription' && action !== 'Unsubscribe')) return undefined;
    return (async () => {
      try {
        return protocol.encode(action, follow(options, action, request.query), requestId);
      } catch (error) {
        if (error instanceof AwsError) return protocol.encodeError(error, requestId);
        throw error;
      }
    })();
  };
}

function follow({ topics, carrier }: UnsignedOptions, action: string, query: URLSearchParams): object {
  const member = (name: string) => query.get(name) ?? undefined;
  if (action === 'ConfirmSubscription') {
    const AuthenticateOnUnsubscribe = member('AuthenticateOnUnsubscribe');
    return confirm(topics, { TopicArn: member('TopicArn'), Token: member('Token'), AuthenticateOnUnsubscribe }, false);
  }
  const subscription = topics.getSubscription(member('SubscriptionArn'));
  if (subscription.authenticateOnUnsubscribe) {
    throw new AwsError('AuthorizationError', 'This subscription can only be ended with a signed request', 403);
  }
  cancel(carrier, topics.get(subscription.topicArn), subscription);
  return {};
}
