import type { IUnsubscribePacket } from 'mqtt-packet';
import type { Client } from '../client.ts';
import type { MessageBroker } from '../message-broker.ts';
import { REASON } from '../reason-codes.ts';
import { parseFilter } from '../topics.ts';

/** Ends subscriptions. Needs no permission. */
export function handleUnsubscribe(broker: MessageBroker, client: Client, packet: IUnsubscribePacket): void {
  for (const text of packet.unsubscriptions) {
    const filter = parseFilter(text);
    if ('malformed' in filter && filter.malformed) {
      broker.end(client, 'CLIENT_ERROR', { reasonCode: REASON.topicFilterInvalid, message: filter.message });
      return;
    }
  }
  const granted = packet.unsubscriptions.map((text) =>
    broker.sessions.unsubscribe(client.session, text) ? REASON.success : REASON.noSubscriptionExisted,
  );
  client.connection.send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted });
  broker.presence.unsubscribed(client, packet.unsubscriptions);
}
