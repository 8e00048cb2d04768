/**
 * Decides what a device or an IAM caller may do on the data plane
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-authorization.html).
 */
import { X509Certificate } from 'node:crypto';
import type { Variables } from '../../../iam/glob.ts';
import type { RequestKeys } from '../../../iam/request-context.ts';
import type { Caller } from '../../../kernel/caller.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { lineageOf } from '../registry/thing-groups.ts';
import type { ThingRegistry } from '../registry/thing-registry.ts';
import type { Certificate, IotAccessRequest, IotAuthorizer } from '../types.ts';
import { cognitoIdentityOf } from './cognito-identity.ts';
import type { IotStatement } from './compile-iot-policy.ts';
import type { Policy, PolicyStore } from './policy-store.ts';
import {
  type CertificateValues,
  certificateValues,
  type PolicyVariable,
  parsePolicyVariable,
} from './policy-variables.ts';

export interface AuthorizerOptions {
  readonly policies: PolicyStore;
  readonly things: ThingRegistry;
  /** Grows with every change of policies, attachments, things and certificates. */
  readonly revision: { readonly value: number };
}

/** What one evaluation found; the policies are those with a statement that matched. */
export interface Decision {
  readonly allowedBy: readonly Policy[];
  readonly deniedBy: readonly Policy[];
}

type Values = (variable: PolicyVariable) => string | readonly string[] | undefined;

/** "If wildcard characters are present, the policy variable is not replaced" (use-policy-variables, limitations). */
const NOT_SUBSTITUTED = /[*$+?#]/;
const MAX_SUBSTITUTED_LENGTH = 1024;

export class Authorizer implements IotAuthorizer {
  readonly #kernel: Kernel;
  readonly #options: AuthorizerOptions;
  readonly #certificates = new WeakMap<Certificate, CertificateValues>();
  readonly #variables = new Map<string, PolicyVariable | undefined>();

  constructor(kernel: Kernel, options: AuthorizerOptions) {
    this.#kernel = kernel;
    this.#options = options;
  }

  get revision(): number {
    return this.#options.revision.value;
  }

  allows(request: IotAccessRequest): boolean {
    const { principal } = request;
    if (principal.kind === 'iam') return this.#allowsByIam(request) && this.allowsIdentity(request, principal.caller);
    if (principal.certificate.status !== 'ACTIVE') return false;
    const policies = this.policiesOf(principal.certificate.arn, request);
    const { allowedBy, deniedBy } = this.decide(policies, request);
    return deniedBy.length === 0 && allowedBy.length > 0;
  }

  /**
   * What IoT policies say about an authenticated Cognito identity, whose role must allow the same; true for every other IAM
   * caller (https://docs.aws.amazon.com/iot/latest/developerguide/cog-iot-policies.html).
   */
  allowsIdentity(request: IotAccessRequest, caller: Caller): boolean {
    const identity = cognitoIdentityOf(caller);
    if (identity === undefined) return true;
    const { allowedBy, deniedBy } = this.decide(this.#options.policies.policiesOf(identity) ?? [], request);
    return deniedBy.length === 0 && allowedBy.length > 0;
  }

  /**
   * The policies of a certificate and of the groups of its thing, with those of the groups' parents. Over MQTT that is the
   * thing of the connection, over HTTPS, which knows no client id, each thing to which the certificate is attached.
   */
  policiesOf(
    certificateArn: string,
    { protocol, clientId }: Pick<IotAccessRequest, 'protocol' | 'clientId'>,
  ): Iterable<Policy> {
    const { policies, things } = this.#options;
    const own = policies.policiesOf(certificateArn) ?? [];
    const names =
      protocol === 'mqtt' ? [things.thingOf(certificateArn, clientId)?.name] : things.thingsOf(certificateArn).keys();
    let all: Set<Policy> | undefined;
    for (const name of names) {
      if (name === undefined) continue;
      for (const { arn } of [...things.groups.of(name)].flatMap(lineageOf)) {
        for (const policy of policies.policiesOf(arn) ?? []) {
          all ??= new Set(own);
          all.add(policy);
        }
      }
    }
    return all ?? own;
  }

  /** Evaluates these policies: their union, in which an explicit Deny wins over every Allow. */
  decide(policies: Iterable<Policy>, request: IotAccessRequest): Decision {
    const resource = this.#kernel.arn('iot', request.resource);
    const values = this.#valuesOf(request);
    const allowedBy: Policy[] = [];
    const deniedBy: Policy[] = [];
    for (const policy of policies) {
      const effects = new Set<string>();
      for (const statement of policy.defaultVersion.compiled) {
        if (effects.has(statement.effect) || !statement.action(request.action)) continue;
        if (this.#applies(statement, resource, values)) effects.add(statement.effect);
      }
      if (effects.has('Allow')) allowedBy.push(policy);
      if (effects.has('Deny')) deniedBy.push(policy);
    }
    return { allowedBy, deniedBy };
  }

  /**
   * A variable without a value never widens access: a pattern with it matches nothing, and where that would make an Allow
   * match (NotResource, negated conditions) the statement matches nothing.
   */
  #applies({ effect, resource, negatedResource, iotConditions }: IotStatement, arn: string, values: Values): boolean {
    let unresolved = false;
    const variables: Variables = (name) => {
      const value = substitutable(this.#parse(name), values);
      if (value === undefined) unresolved = true;
      return value;
    };
    if (!resource(arn, variables)) return false;
    if (effect === 'Allow' && negatedResource && unresolved) return false;
    const keys: RequestKeys = (name) => {
      const variable = this.#parse(name);
      return variable && values(variable);
    };
    return iotConditions.every(({ negated, holds }) => {
      unresolved = false;
      return holds(keys, variables) && !(effect === 'Allow' && negated && unresolved);
    });
  }

  #allowsByIam({ principal, action, resource, sourceIp, clientId, context }: IotAccessRequest): boolean {
    if (principal.kind !== 'iam') return false;
    try {
      this.#kernel.iam.authorize(
        { caller: principal.caller, requestId: '', sourceIp },
        {
          action,
          resource: this.#kernel.arn('iot', resource),
          context: { ...context, ...(clientId !== undefined && { 'iot:ClientId': clientId }) },
        },
      );
      return true;
    } catch (error) {
      if (error instanceof AwsError && error.code === 'AccessDeniedException') return false;
      throw error;
    }
  }

  #valuesOf(request: IotAccessRequest): Values {
    const { principal, protocol, clientId, sourceIp, context } = request;
    const certificate = principal.kind === 'certificate' ? principal.certificate : undefined;
    const overMqtt = protocol === 'mqtt';
    // "attach certificates or principals (authenticated Amazon Cognito identities) to a thing" (thing-policy-variables).
    const attached = principal.kind === 'iam' ? cognitoIdentityOf(principal.caller) : principal.certificate.arn;
    const thing = overMqtt && attached !== undefined ? this.#options.things.thingOf(attached, clientId) : undefined;
    return (variable) => {
      switch (variable.kind) {
        case 'client-id':
          return clientId;
        case 'source-ip':
          return sourceIp;
        case 'thing-name':
          return thing?.name;
        case 'thing-type':
          return thing?.typeName;
        case 'thing-attribute':
          return thing && Object.hasOwn(thing.attributes, variable.name) ? thing.attributes[variable.name] : undefined;
        case 'is-attached':
          return overMqtt ? String(thing !== undefined) : undefined;
        case 'cognito-identity':
          return principal.kind === 'iam' ? cognitoIdentityOf(principal.caller) : undefined;
        case 'request':
          return requestValue(context, variable.key);
        default:
          return certificate && certificateValue(this.#read(certificate), variable);
      }
    };
  }

  #read(certificate: Certificate): CertificateValues {
    let read = this.#certificates.get(certificate);
    if (!read) {
      read = certificateValues(new X509Certificate(certificate.pem));
      this.#certificates.set(certificate, read);
    }
    return read;
  }

  /** Names come from policies only, so that this cannot grow with what devices send. */
  #parse(name: string): PolicyVariable | undefined {
    if (!this.#variables.has(name)) this.#variables.set(name, parsePolicyVariable(name));
    return this.#variables.get(name);
  }
}

function requestValue(context: IotAccessRequest['context'], key: string): string | readonly string[] | undefined {
  return Object.entries(context ?? {}).find(([name]) => name.toLowerCase() === key)?.[1];
}

function certificateValue(
  certificate: CertificateValues,
  variable: Extract<PolicyVariable, { kind: `certificate-${string}` }>,
): string | readonly string[] | undefined {
  if (variable.kind === 'certificate-serial') return certificate.serialNumber;
  if (variable.kind === 'certificate-keys') return certificate.availableKeys;
  const values = certificate.valuesOf(variable.of, variable.attribute);
  return variable.which === 'list' ? values : values[variable.which];
}

/** What `${name}` is replaced by. A client id is taken as it is; attributes with wildcards are not substituted. */
function substitutable(variable: PolicyVariable | undefined, values: Values): string | undefined {
  const value = variable && values(variable);
  if (typeof value !== 'string') return undefined;
  const mayHoldAnything = variable?.kind === 'client-id' || variable?.kind === 'source-ip';
  if (mayHoldAnything) return value;
  return value.length > MAX_SUBSTITUTED_LENGTH || NOT_SUBSTITUTED.test(value) ? undefined : value;
}
