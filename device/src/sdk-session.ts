import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { LastWill } from '@thingstead/contracts/presence';
import { lastWillTopic } from '@thingstead/contracts/topics';
import { type CrtError, mqtt5 } from 'aws-iot-device-sdk-v2';
import { ClientConfigs } from './client-configs.ts';
import type { AgentConfig } from './config.ts';
import type { Identity } from './identity.ts';
import { sdkClientConfig } from './sdk-client-config.ts';
import {
  type Connect,
  ConnectionFailed,
  type PublishOutcome,
  type Session,
  type SessionEnd,
  type SubscribeOutcome,
} from './session.ts';

/** How long the SDK may take to say goodbye and to stop. */
const GOODBYE_MS = 3000;
/** So that answers which are on their way have come when the agent says goodbye. */
const QUIET_MS = 300;

/**
 * Connects with AWS's device SDK: MQTT 5 over mutual TLS. Every attempt is a new client, so that nothing of a failed one
 * (queues, timers, its backoff) lives on. The session is clean: what was not acknowledged is sent again by the outbox
 * under the same message id, and what is subscribed ends with the connection. Each has a last will of its own: AWS IoT publishes
 * it when the connection is lost, the old connection's too when it was taken over by a new one.
 *
 * @throws ConfigurationError when the key is in a PKCS#11 token that does not let the agent in.
 */
export function sdkConnect(config: AgentConfig, identity: Identity): Connect {
  const configs = new ClientConfigs(() => sdkClientConfig(config, identity));
  return async (signal) => {
    const id = randomBytes(12).toString('hex');
    const client = new mqtt5.Mqtt5Client(withLastWill(configs.get(), config, id));
    // Errors of the client are followed by the events that are handled below.
    client.on('error', () => {});
    const stopped = new Promise<void>((resolve) => client.once('stopped', () => resolve()));
    let over = (): void => {};
    const ended = new Promise<void>((resolve) => {
      over = resolve;
    });
    const end = async (packet?: mqtt5.DisconnectPacket): Promise<void> => {
      client.stop(packet);
      // Should the SDK neither say goodbye nor stop, its connection is cut, and the last will speaks.
      await within(GOODBYE_MS, stopped);
      client.close();
      over();
    };
    try {
      await connected(client, (error) => configs.failed(error), signal);
    } catch (error) {
      await end();
      throw error;
    }
    return openSession(id, client, end, ended);
  };
}

function withLastWill(
  clientConfig: mqtt5.Mqtt5ClientConfig,
  { thing, keepAliveSeconds }: AgentConfig,
  session: string,
): mqtt5.Mqtt5ClientConfig {
  const payload = JSON.stringify({ session } satisfies LastWill);
  const will = { topicName: lastWillTopic(thing), qos: mqtt5.QoS.AtLeastOnce, payload };
  return {
    ...clientConfig,
    connectProperties: { keepAliveIntervalSeconds: keepAliveSeconds, ...clientConfig.connectProperties, will },
  };
}

function connected(client: mqtt5.Mqtt5Client, failed: (error: CrtError) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void =>
      reject(new ConnectionFailed('unreachable', 'the agent is ending', { cause: signal.reason }));
    signal.addEventListener('abort', abort, { once: true });
    client.once('connectionSuccess', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    client.once('connectionFailure', ({ error, connack }) => {
      signal.removeEventListener('abort', abort);
      failed(error);
      reject(explain(error, connack));
    });
    client.start();
  });
}

function explain(error: CrtError, connack?: mqtt5.ConnackPacket): ConnectionFailed {
  if (connack) {
    const reason = mqtt5.ConnectReasonCode[connack.reasonCode] ?? connack.reasonCode;
    return new ConnectionFailed(
      'refused',
      `CONNACK ${reason}${connack.reasonString ? `: ${connack.reasonString}` : ''}`,
      {
        cause: error,
      },
    );
  }
  const kind = CLOSED.has(error.error_name ?? '') ? 'closed-without-answer' : 'unreachable';
  return new ConnectionFailed(kind, describe(error), { cause: error });
}

/** Like "AWS_IO_SOCKET_CONNECTION_REFUSED, socket connection refused." */
function describe(error: CrtError): string {
  return error.message.replace(/^(lib)?aws-c-\w+: /, '');
}

/** What the SDK calls it when the other side hangs up, depending on how it did and when it was noticed. */
const CLOSED: ReadonlySet<string> = new Set([
  'AWS_ERROR_MQTT_UNEXPECTED_HANGUP',
  'AWS_IO_SOCKET_CLOSED',
  'AWS_IO_TLS_CLOSED_ABORT',
  'AWS_IO_TLS_CLOSED_GRACEFUL',
]);

function openSession(
  id: string,
  client: mqtt5.Mqtt5Client,
  end: (packet?: mqtt5.DisconnectPacket) => Promise<void>,
  ended: Promise<void>,
): Session {
  const closed = new Promise<SessionEnd>((resolve) => {
    client.once('disconnection', ({ error, disconnect }) => resolve(sessionEnd(error, disconnect)));
    // After a goodbye of our own the SDK emits both, in either order, and nothing more once the client is closed.
    client.once('stopped', () => resolve({ reason: 'the agent has ended the connection' }));
    void ended.then(() => resolve({ reason: 'the agent has cut the connection' }));
  });
  // The SDK settles what was cut off only after its own reconnection, which never comes.
  const unsettled = new Set<(outcome: { readonly kind: 'unanswered'; readonly reason: string }) => void>();
  let ending: Promise<void> | undefined;
  const endOnce = (packet?: mqtt5.DisconnectPacket): Promise<void> => {
    ending ??= end(packet);
    return ending;
  };
  let gone: string | undefined;
  void closed.then(({ reason }) => {
    gone = reason;
    for (const settle of unsettled) settle({ kind: 'unanswered', reason });
    return endOnce();
  });
  const unlessGone = <Outcome>(
    work: () => Promise<Outcome>,
  ): Promise<Outcome | { readonly kind: 'unanswered'; readonly reason: string }> =>
    new Promise((resolve) => {
      if (gone !== undefined) {
        resolve({ kind: 'unanswered', reason: gone });
        return;
      }
      unsettled.add(resolve);
      void work().then((outcome) => {
        unsettled.delete(resolve);
        resolve(outcome);
      });
    });
  return {
    id,
    closed,
    publish: (topic, payload) => unlessGone(() => publish(client, topic, payload)),
    subscribe: (filters) => unlessGone(() => subscribe(client, filters)),
    onMessage: (listener) => {
      client.on('messageReceived', ({ message: { topicName, payload } }) =>
        listener(topicName, payload === undefined ? Buffer.alloc(0) : Buffer.from(payload as ArrayBuffer)),
      );
    },
    disconnect: async () => {
      // Stopped in the moment in which messages come in, the SDK has been seen to wait for ever, without a DISCONNECT.
      await pause(QUIET_MS);
      return endOnce({ reasonCode: mqtt5.DisconnectReasonCode.NormalDisconnection });
    },
  };
}

/** Waits for the work, but no longer than that. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, pause(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

function sessionEnd(error: CrtError, disconnect?: mqtt5.DisconnectPacket): SessionEnd {
  if (!disconnect) return { reason: describe(error) };
  const name = mqtt5.DisconnectReasonCode[disconnect.reasonCode] ?? `0x${Number(disconnect.reasonCode).toString(16)}`;
  const reason = `DISCONNECT ${name}${disconnect.reasonString ? `: ${disconnect.reasonString}` : ''}`;
  return { reasonCode: disconnect.reasonCode, reason };
}

async function publish(client: mqtt5.Mqtt5Client, topicName: string, payload: Buffer): Promise<PublishOutcome> {
  try {
    const puback = await client.publish({ topicName, payload, qos: mqtt5.QoS.AtLeastOnce });
    // Undefined is the answer to QoS 0, which is not sent here.
    if (!puback || puback.reasonCode < 0x80) return { kind: 'acknowledged' };
    const name = mqtt5.PubackReasonCode[puback.reasonCode] ?? `0x${Number(puback.reasonCode).toString(16)}`;
    return {
      kind: 'refused',
      reasonCode: puback.reasonCode,
      reason: [name, puback.reasonString].filter(Boolean).join(': '),
    };
  } catch (error) {
    return { kind: 'unanswered', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function subscribe(client: mqtt5.Mqtt5Client, filters: readonly string[]): Promise<SubscribeOutcome> {
  try {
    const subscriptions = filters.map((topicFilter) => ({ topicFilter, qos: mqtt5.QoS.AtLeastOnce }));
    const { reasonCodes, reasonString } = await client.subscribe({ subscriptions });
    const index = reasonCodes.findIndex((code) => code >= 0x80);
    if (index === -1) return { kind: 'granted' };
    const code = Number(reasonCodes[index]);
    const name = mqtt5.SubackReasonCode[code] ?? `0x${code.toString(16)}`;
    return { kind: 'refused', reason: [filters[index], name, reasonString].filter(Boolean).join(': ') };
  } catch (error) {
    return { kind: 'unanswered', reason: error instanceof Error ? error.message : String(error) };
  }
}
