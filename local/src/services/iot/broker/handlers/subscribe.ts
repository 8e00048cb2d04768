import type { ISubscribePacket, ISubscription } from 'mqtt-packet';
import { meterMessage } from '../../metering.ts';
import type { Client } from '../client.ts';
import { MAX_SUBSCRIPTIONS_PER_CONNECTION, MAX_SUBSCRIPTIONS_PER_REQUEST } from '../limits.ts';
import type { MessageBroker } from '../message-broker.ts';
import { REASON } from '../reason-codes.ts';
import { type FilterProblem, hasWildcard, type ParsedFilter, parseFilter } from '../topics.ts';

interface Requested {
  readonly asked: ISubscription;
  readonly filter: ParsedFilter | FilterProblem;
}

/**
 * Subscribes. What MQTT 5 answers per filter ends a connection of MQTT 3.1.1: also one filter of several that the
 * policy does not allow (aws/aws-iot-device-sdk-js issue 125).
 */
export function handleSubscribe(broker: MessageBroker, client: Client, packet: ISubscribePacket): void {
  const requested = packet.subscriptions.map((asked) => ({ asked, filter: parseFilter(asked.topic) }));
  if (endsConnection(broker, client, packet, requested)) return;
  const topicBytes = requested.reduce((sum, { asked }) => sum + Buffer.byteLength(asked.topic), 0);
  meterMessage(broker.kernel.meter, 'SUBSCRIBE', topicBytes);
  const granted = requested.map((each) => refusal(client, packet, each) ?? each.asked.qos);
  const before = new Set(client.session.subscriptions.keys());
  for (const [at, { asked, filter }] of requested.entries()) {
    if (!('filter' in filter) || (granted[at] ?? REASON.unspecified) >= REASON.unspecified) continue;
    if (isOverLimit(client, asked.topic)) {
      // "Clients should validate the SUBACK message": the connection stays (quotas, "Subscriptions per connection").
      granted[at] = client.version === 5 ? REASON.quotaExceeded : REASON.unspecified;
      continue;
    }
    subscribe(broker, client, asked, filter);
  }
  client.connection.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted });
  const accepted = requested.filter((_, at) => (granted[at] ?? REASON.unspecified) < REASON.unspecified);
  if (accepted.length === 0) return;
  broker.presence.subscribed(
    client,
    accepted.map(({ asked }) => asked.topic),
  );
  for (const { asked, filter } of accepted) {
    if ('filter' in filter) sendWhatWaits(broker, client, asked, filter, before.has(asked.topic));
  }
}

/** The whole packet is refused with the connection. */
function endsConnection(
  broker: MessageBroker,
  client: Client,
  packet: ISubscribePacket,
  requested: readonly Requested[],
): boolean {
  const end = (reasonCode: number, message: string): true => {
    broker.end(client, reasonCode === REASON.notAuthorized ? 'AUTH_ERROR' : 'CLIENT_ERROR', { reasonCode, message });
    return true;
  };
  if (packet.properties?.subscriptionIdentifier !== undefined) {
    return end(REASON.subscriptionIdentifiersNotSupported, 'AWS IoT has no subscription identifiers');
  }
  for (const { asked, filter } of requested) {
    // "When QoS level 2 is requested, the message broker doesn't send a PUBACK or SUBACK" (mqtt).
    if (asked.qos === 2) return end(REASON.qosNotSupported, 'AWS IoT has QoS 0 and 1 only');
    if ('malformed' in filter && filter.malformed) return end(REASON.topicFilterInvalid, filter.message);
  }
  if (client.version === 5) return false;
  for (const each of requested) {
    const code = refusal(client, packet, each);
    if (code !== undefined) {
      const why = 'message' in each.filter ? each.filter.message : `refused: ${each.asked.topic}`;
      return end(code, why);
    }
  }
  return false;
}

/** The reason code with which one filter is refused; undefined when it is taken. */
function refusal(client: Client, packet: ISubscribePacket, { asked, filter }: Requested): number | undefined {
  if (packet.subscriptions.length > MAX_SUBSCRIPTIONS_PER_REQUEST) return REASON.quotaExceeded;
  if (!('filter' in filter)) return REASON.topicFilterInvalid;
  return client.access.maySubscribe(asked.topic) ? undefined : REASON.notAuthorized;
}

function isOverLimit(client: Client, text: string): boolean {
  const { subscriptions } = client.session;
  return !subscriptions.has(text) && subscriptions.size >= MAX_SUBSCRIPTIONS_PER_CONNECTION;
}

function subscribe(broker: MessageBroker, client: Client, asked: ISubscription, filter: ParsedFilter): void {
  broker.sessions.subscribe(client.session, filter, {
    text: asked.topic,
    qos: asked.qos === 0 ? 0 : 1,
    noLocal: asked.nl ?? false,
    retainAsPublished: asked.rap ?? false,
  });
}

/**
 * The retained message of exactly this topic, for a plain subscription (MQTT 5's retain handling decides, 1: only when
 * the subscription is new, 2: never); what has waited for a member, for a shared one.
 */
function sendWhatWaits(
  broker: MessageBroker,
  client: Client,
  asked: ISubscription,
  filter: ParsedFilter,
  existed: boolean,
): void {
  const now = broker.kernel.clock.now();
  if (filter.group !== undefined) {
    broker.sessions.subscriptions.group(filter)?.drainTo(client.session, now);
    return;
  }
  if (hasWildcard(filter.filter) || asked.rh === 2 || (asked.rh === 1 && existed)) return;
  const message = broker.retained.find(filter.filter, now);
  if (!message) return;
  const qos = message.qos === 1 && asked.qos === 1 ? 1 : 0;
  client.session.deliver({ message, qos, retain: true, group: undefined }, now);
}
