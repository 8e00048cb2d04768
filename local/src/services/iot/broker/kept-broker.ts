/**
 * What the broker keeps: retained messages, sessions with what waits in them, the counters of presence, and who is
 * connected. The end of the runtime is the end of every connection; clients find their sessions at the next start.
 */
import { randomUUID } from 'node:crypto';
import type { Caller } from '../../../kernel/caller.ts';
import type { KeptRecord, KeptRecords, KeptState } from '../../../kernel/kept-state.ts';
import type { IotMessage, IotPrincipal, MessageBus } from '../types.ts';
import { Access } from './access.ts';
import type { Will } from './client.ts';
import type { MessageBroker } from './message-broker.ts';
import type { Outgoing } from './outgoing.ts';
import type { PresenceOf } from './presence.ts';
import { Session, type Subscription } from './session.ts';
import type { SharedGroup } from './shared-group.ts';
import { isReserved, parseFilter } from './topics.ts';

type KeptPrincipal =
  | { readonly kind: 'certificate'; readonly certificateId: string }
  | { readonly kind: 'iam'; readonly caller: Caller };

interface KeptAccess {
  readonly principal: KeptPrincipal;
  readonly sourceIp: string | undefined;
}

interface KeptSession {
  readonly clientId: string;
  readonly version: 4 | 5;
  readonly expirySeconds: number;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly access: KeptAccess;
  /** Undefined while it is connected: then its time begins with the next start. */
  readonly detachedAt: number | undefined;
  readonly waiting: readonly Omit<Outgoing, 'group'>[];
}

interface KeptSharedGroup {
  /** With the `$share` prefix. */
  readonly text: string;
  readonly waiting: readonly IotMessage[];
}

interface KeptConnection {
  readonly who: PresenceOf;
  readonly versionNumber: number;
  readonly sessionSeconds: number;
  readonly will: Will | undefined;
  readonly access: KeptAccess;
}

/** The state of a broker. `bus` takes the events and wills of connections that an earlier runtime has taken with it. */
export function keptBroker(broker: MessageBroker, bus: MessageBus): KeptState {
  let lost: readonly KeptConnection[] = [];
  return {
    *save() {
      yield* broker.retained.save();
      yield* broker.presence.save();
      yield* saveSessions(broker);
      for (const connection of [...lost, ...connections(broker)]) {
        yield [`connection/${connection.who.clientId}`, connection];
      }
    },
    restore(records) {
      broker.retained.restore(records);
      broker.presence.restore(records);
      restoreSessions(broker, records);
      lost = [...records.all<KeptConnection>('connection/')];
    },
    resume() {
      for (const each of lost) announceLost(broker, bus, each);
      lost = [];
    },
  };
}

function connections(broker: MessageBroker): readonly KeptConnection[] {
  return Array.from(broker.clients.values(), (client) => ({
    who: {
      clientId: client.clientId,
      thing: client.thing,
      sessionIdentifier: client.sessionIdentifier,
      principalIdentifier: client.principalIdentifier,
    },
    versionNumber: client.versionNumber,
    sessionSeconds: client.session.expirySeconds,
    will: client.will,
    access: keptAccess(client.access),
  }));
}

function* saveSessions(broker: MessageBroker): Generator<KeptRecord> {
  const groups = new Map<SharedGroup, { readonly text: string; readonly waiting: IotMessage[] }>();
  const sessions = [...broker.sessions.all].filter(({ persistent }) => persistent);
  for (const { subscriptions } of sessions) {
    for (const text of subscriptions.keys()) {
      const filter = parseFilter(text);
      const group = 'filter' in filter ? broker.sessions.subscriptions.group(filter) : undefined;
      if (group && !groups.has(group)) groups.set(group, { text, waiting: [...group.waiting] });
    }
  }
  for (const session of sessions) {
    const { clientId, version, expirySeconds, subscriptions, detachedAt } = session;
    const waiting: Omit<Outgoing, 'group'>[] = [];
    for (const { message, qos, retain, group } of session.undelivered) {
      // As when a connection ends: what a member of a group has not acknowledged is for any of them.
      if (group) groups.get(group)?.waiting.push(message);
      else waiting.push({ message, qos, retain });
    }
    const kept: KeptSession = {
      ...{ clientId, version, expirySeconds, subscriptions, detachedAt, waiting },
      access: keptAccess(session.access),
    };
    yield [`session/${clientId}`, kept];
  }
  for (const { text, waiting } of groups.values()) {
    if (waiting.length > 0) yield [`sharedGroup/${text}`, { text, waiting } satisfies KeptSharedGroup];
  }
}

function restoreSessions(broker: MessageBroker, records: KeptRecords): void {
  const now = broker.kernel.clock.now();
  for (const kept of records.all<KeptSession>('session/')) {
    const { clientId, version, expirySeconds, subscriptions, detachedAt = now, waiting } = kept;
    const access = accessOf(broker, kept.access, clientId);
    if (!access) continue;
    const session = new Session(clientId, version, expirySeconds, access);
    for (const [text, subscription] of subscriptions) {
      const filter = parseFilter(text);
      if ('filter' in filter) broker.sessions.subscribe(session, filter, subscription);
    }
    session.restore(waiting.map((each) => ({ ...each, group: undefined })));
    broker.sessions.restore(session, detachedAt);
  }
  for (const { text, waiting } of records.all<KeptSharedGroup>('sharedGroup/')) {
    const filter = parseFilter(text);
    if ('filter' in filter) broker.sessions.subscriptions.group(filter)?.restore(waiting);
  }
}

function keptAccess({ options: { principal, sourceIp } }: Access): KeptAccess {
  if (principal.kind === 'iam') return { principal, sourceIp };
  return { principal: { kind: 'certificate', certificateId: principal.certificate.certificateId }, sourceIp };
}

/** Undefined when the certificate has been deleted. */
function accessOf(
  { authorizer, directory }: MessageBroker,
  { principal, sourceIp }: KeptAccess,
  clientId: string,
): Access | undefined {
  let is: IotPrincipal;
  if (principal.kind === 'iam') {
    is = principal;
  } else {
    const certificate = directory.find(principal.certificateId);
    if (!certificate) return undefined;
    is = { kind: 'certificate', certificate };
  }
  return new Access({ authorizer, principal: is, clientId, sourceIp });
}

/** What the broker publishes when it ends a connection itself: the will, and the event. */
function announceLost(broker: MessageBroker, bus: MessageBus, lost: KeptConnection): void {
  const { who, will, versionNumber, sessionSeconds } = lost;
  const access = accessOf(broker, lost.access, who.clientId);
  if (will && !isReserved(will.topic) && access?.mayPublish(will.topic, will.retain)) {
    bus.publish({
      ...will,
      clientId: who.clientId,
      principal: who.principalIdentifier,
      sourceIp: lost.access.sourceIp,
      receivedAt: broker.kernel.clock.now(),
      traceId: randomUUID(),
    });
  }
  broker.presence.disconnected(who, versionNumber, 'SERVER_INITIATED_DISCONNECT', sessionSeconds);
}
