import type { Kernel } from '../../../kernel/kernel.ts';
import type { Permission } from '../../../kernel/service.ts';
import type { MessageBroker } from '../broker/message-broker.ts';
import type { AmazonCa } from '../certificates/amazon-ca.ts';
import type { CaStore } from '../certificates/ca-store.ts';
import type { CertificateStore } from '../certificates/certificate-store.ts';
import type { Authorizer } from '../policies/authorizer.ts';
import type { PolicyStore } from '../policies/policy-store.ts';
import type { EventConfigurations } from '../registry/event-configurations.ts';
import type { ThingRegistry } from '../registry/thing-registry.ts';
import type { RoleAliases } from '../role-aliases/role-aliases.ts';
import { invalidRequest, required, resourceNotFound } from './errors.ts';
import type { LoggingOptions } from './operations/logging-options.ts';
import type { Indexing } from './operations/thing-connectivity.ts';
import type { ResourceTags } from './resource-tags.ts';

/** What the operations of the control plane work on. */
export interface ControlPlane {
  readonly kernel: Kernel;
  readonly certificates: CertificateStore;
  readonly cas: CaStore;
  readonly policies: PolicyStore;
  readonly things: ThingRegistry;
  readonly authorizer: Authorizer;
  readonly roleAliases: RoleAliases;
  readonly tags: ResourceTags;
  readonly logging: LoggingOptions;
  readonly amazonCa: AmazonCa;
  readonly eventConfigurations: EventConfigurations;
  /** What fleet indexing keeps. */
  readonly indexing: Indexing;
  /** Who is connected. */
  readonly connections: Pick<MessageBroker, 'clients' | 'sessions'>;
  /** The host to which devices connect; its port is the runtime's. */
  readonly endpoint: string;
}

/** The permission of an operation for which AWS has no resource. */
export function onAll(action: string): readonly Permission[] {
  return [{ action: `iot:${action}`, resource: '*' }];
}

/** The permission for one resource of the account: `cert/<id>`, `policy/<name>`, `thing/<name>`. */
export function on({ kernel }: ControlPlane, action: string, resource: string): readonly Permission[] {
  return [{ action: `iot:${action}`, resource: kernel.arn('iot', resource) }];
}

/** Cognito identity ids are principals too: `us-east-1:<uuid>`. */
const COGNITO_IDENTITY = /^[\w-]+:[0-9a-f-]{36}$/;

/**
 * The permission for an operation on a principal: the certificate's ARN, or `*` for a Cognito identity, which has none in
 * this service.
 */
export function onPrincipal(
  action: string,
  principal: string | undefined,
  context?: Permission['context'],
): readonly Permission[] {
  const target = required(principal, 'principal');
  return [{ action: `iot:${action}`, resource: target.startsWith('arn:') ? target : '*', ...(context && { context }) }];
}

/**
 * Checks a principal: a registered certificate or a Cognito identity.
 *
 * @throws AwsError ResourceNotFoundException for an unknown certificate, InvalidRequestException for anything else
 */
export function checkPrincipal(
  { kernel, certificates }: ControlPlane,
  given: string | undefined,
  name: string,
): string {
  const principal = required(given, name);
  const prefix = kernel.arn('iot', 'cert/');
  if (principal.startsWith(prefix)) {
    if (!certificates.find(principal.slice(prefix.length))) {
      throw resourceNotFound(`The certificate given does not exist: ${principal}`);
    }
    return principal;
  }
  if (COGNITO_IDENTITY.test(principal)) return principal;
  throw invalidRequest(`${name} is ${principal}; it has to be the ARN of a certificate or a Cognito identity id`);
}

/**
 * Checks what a policy can be attached to: a principal or a thing group.
 *
 * @throws AwsError ResourceNotFoundException, InvalidRequestException
 */
export function checkPolicyTarget(plane: ControlPlane, given: string | undefined, name: string): string {
  const target = required(given, name);
  const prefix = plane.kernel.arn('iot', 'thinggroup/');
  return target.startsWith(prefix)
    ? plane.things.groups.get(target.slice(prefix.length)).arn
    : checkPrincipal(plane, target, name);
}
