/** The data plane of AWS IoT over HTTP: the service `iot-data` and the devices' own HTTPS port. */
import { parseArn } from '../../../kernel/arn.ts';
import type { Caller } from '../../../kernel/caller.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { AnyOperation, CallContext, Permission, Service } from '../../../kernel/service.ts';
import type { MessageBroker } from '../broker/index.ts';
import type { Authorizer } from '../policies/authorizer.ts';
import type { Shadows } from '../shadow/index.ts';
import type { MessageBus } from '../types.ts';
import type { AnyDataOperation } from './data-operation.ts';
import { connectionOperations } from './operations/connections.ts';
import { publishOperation } from './operations/publish.ts';
import { retainedMessageOperations } from './operations/retained-messages.ts';
import { shadowOperations } from './operations/thing-shadows.ts';
import { dataPlaneProtocol } from './routes.ts';

export { createDeviceHttps, type DeviceHttps } from './device-https.ts';

export interface DataPlaneOptions {
  readonly bus: MessageBus;
  readonly messages: MessageBroker;
  readonly shadows: Shadows;
  readonly authorizer: Pick<Authorizer, 'allowsIdentity'>;
}

/** The operations by name, for both ways in. */
export type DataOperations = Readonly<Record<string, AnyDataOperation>>;

export interface DataPlane {
  /** For `kernel.register`. */
  readonly service: Service;
  readonly operations: DataOperations;
}

/** Shadows, Publish, retained messages and connections over HTTP with SigV4. */
export function createDataPlane(kernel: Kernel, { bus, messages, shadows, authorizer }: DataPlaneOptions): DataPlane {
  const operations: DataOperations = {
    Publish: publishOperation(kernel, bus),
    ...shadowOperations(kernel, shadows),
    ...retainedMessageOperations(kernel, messages.retained),
    ...connectionOperations(kernel, messages),
  };
  const service: Service = {
    name: 'iot-data',
    // `iotdevicegateway` signs WebSocket upgrades and the connection operations (mqtt, "MQTT connection management").
    signingNames: ['iotdata', 'iotdevicegateway'],
    protocols: [dataPlaneProtocol()],
    // What the broker keeps is added by who makes both.
    state: shadows,
    operations: Object.fromEntries(Object.entries(operations).map(([name, each]) => [name, forIam(each, authorizer)])),
  };
  return { service, operations };
}

function forIam(each: AnyDataOperation, authorizer: DataPlaneOptions['authorizer']): AnyOperation {
  return operation<unknown, unknown>({
    permissions: (input) => each.permissions(input),
    run: (input, context) => {
      // IAM has allowed it by now.
      for (const permission of each.permissions(input)) requireIotPolicy(authorizer, permission, context);
      return each.run(input, { principal: principalOf(context.caller), sourceIp: context.sourceIp });
    },
  });
}

/** An authenticated Cognito identity needs an IoT policy beside its role. Throws ForbiddenException. */
function requireIotPolicy(
  authorizer: DataPlaneOptions['authorizer'],
  { action, resource, context }: Permission,
  { caller, sourceIp }: CallContext,
): void {
  const request = {
    principal: { kind: 'iam', caller },
    action,
    resource: parseArn(resource)?.resource ?? resource,
    protocol: 'https',
    clientId: undefined,
    sourceIp,
    ...(context && { context }),
  } as const;
  if (!authorizer.allowsIdentity(request, caller)) throw new AwsError('ForbiddenException', 'Forbidden', 403);
}

/** What SQL's principal() gives for a message over SigV4. A service acting by itself has none. */
function principalOf(caller: Caller): string | undefined {
  return caller.kind === 'service' ? undefined : caller.arn;
}
