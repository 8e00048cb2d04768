import type {
  DeleteConnectionRequest,
  GetConnectionRequest,
  GetConnectionResponse,
  ListSubscriptionsRequest,
} from '@aws-sdk/client-iot-data-plane';
import { AwsError } from '../../../../kernel/errors.ts';
import type { Kernel } from '../../../../kernel/kernel.ts';
import type { Permission } from '../../../../kernel/service.ts';
import type { ConnectionInfo } from '../../broker/client.ts';
import type { MessageBroker } from '../../broker/message-broker.ts';
import { REASON } from '../../broker/reason-codes.ts';
import { type AnyDataOperation, dataOperation, invalidRequest, required } from '../data-operation.ts';
import { paginate } from '../paginate.ts';

/** https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html, "MQTT connection management". */
export function connectionOperations(
  kernel: Kernel,
  broker: MessageBroker,
): Readonly<Record<string, AnyDataOperation>> {
  const on = (action: string, clientId: string | undefined): Permission => ({
    action,
    resource: kernel.arn('iot', `client/${checkedClientId(clientId)}`),
  });
  return {
    DeleteConnection: dataOperation<DeleteConnectionRequest, Record<string, never>>({
      permissions: ({ clientId }) => [on('iot:DeleteConnection', clientId)],
      run(input) {
        const clientId = checkedClientId(input.clientId);
        const client = broker.clients.get(clientId);
        const session = broker.sessions.find(clientId);
        if (!session) throw notFound(clientId);
        // Before the end, so that the event and what follows see a session that does not go on.
        if (input.cleanSession) session.expirySeconds = 0;
        if (client) {
          broker.end(client, 'API_INITIATED_DISCONNECT', {
            reasonCode: REASON.administrativeAction,
            sendWill: !input.preventWillMessage,
          });
        } else if (input.cleanSession) broker.sessions.discard(session);
        return {};
      },
    }),
    GetConnection: dataOperation<GetConnectionRequest, GetConnectionResponse>({
      permissions: ({ clientId, includeSocketInformation }) => [
        {
          ...on('iot:GetConnection', clientId),
          context: { 'iot:IncludeSocketInformation': String(includeSocketInformation ?? false) },
        },
      ],
      run(input) {
        const clientId = checkedClientId(input.clientId);
        const client = broker.clients.get(clientId);
        if (client) {
          return { connected: true, connectedSince: client.connectedAt, ...describe(client.info(), input) };
        }
        const past = broker.sessions.findPast(clientId);
        if (!past) throw notFound(clientId);
        const { disconnectedAt, reason } = past;
        return {
          connected: false,
          disconnectedSince: disconnectedAt,
          disconnectReason: reason,
          ...describe(past, input),
        };
      },
    }),
    ListSubscriptions: dataOperation<ListSubscriptionsRequest, unknown>({
      permissions: ({ clientId }) => [on('iot:ListSubscriptions', clientId)],
      run(input) {
        const clientId = checkedClientId(input.clientId);
        const session = broker.sessions.find(clientId);
        if (!session) throw notFound(clientId);
        const page = paginate([...session.subscriptions.values()], input.nextToken, input.maxResults ?? 20, 200);
        return {
          subscriptions: page.items.map(({ text, qos }) => ({ topicFilter: text, qos })),
          ...(page.nextToken !== undefined && { nextToken: page.nextToken }),
        };
      },
    }),
  };
}

function checkedClientId(clientId: string | undefined): string {
  const id = required(clientId, 'clientId');
  if (id.startsWith('$')) throw invalidRequest("the client ID can't start with a dollar sign ($)");
  return id;
}

function notFound(clientId: string): AwsError {
  return new AwsError('ResourceNotFoundException', `No connection or session of the client ${clientId}`, 404);
}

function describe(info: ConnectionInfo, { includeSocketInformation }: GetConnectionRequest): GetConnectionResponse {
  const { sourceIp, sourcePort, targetIp, targetPort } = info.peer;
  return {
    clientId: info.clientId,
    thingName: info.thingName,
    cleanSession: info.cleanSession,
    keepAliveDuration: info.keepAliveSeconds,
    sessionExpiry: info.sessionExpirySeconds,
    ...(includeSocketInformation && { sourceIp, sourcePort, targetIp, targetPort }),
  };
}
