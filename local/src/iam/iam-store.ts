/** Users, roles and managed policies of the account, with their policies compiled. */
import { AwsError } from '../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../kernel/kept-state.ts';
import { AWS_MANAGED_POLICIES } from './aws-managed-policies.ts';
import { type CompiledPolicy, compilePolicy, type PolicyKind } from './compile-policy.ts';
import type { PolicyDocument } from './policy-document.ts';

export interface Policy {
  readonly document: PolicyDocument;
  readonly compiled: CompiledPolicy;
}

/** What roles and users have in common: inline policies, attached policies, tags. */
export interface Identity {
  readonly name: string;
  readonly arn: string;
  readonly path: string;
  /** The unique id: `AROA...` or `AIDA...`. */
  readonly id: string;
  readonly createdAt: number;
  readonly inline: Map<string, Policy>;
  /** ARNs of managed policies. */
  readonly attached: Set<string>;
  readonly tags: Map<string, string>;
}

export interface Role extends Identity {
  trust: Policy;
  description: string | undefined;
  maxSessionSeconds: number;
}

export interface ManagedPolicy extends Policy {
  readonly name: string;
  readonly arn: string;
  readonly path: string;
  readonly id: string;
  readonly description: string | undefined;
  readonly createdAt: number;
}

/** How an identity is kept: policies as documents, which are compiled again. */
type KeptIdentity = Omit<Identity, 'inline'> & { readonly inline: ReadonlyMap<string, PolicyDocument> };
type KeptRole = KeptIdentity & Omit<Role, keyof Identity | 'trust'> & { readonly trust: PolicyDocument };
type KeptPolicy = Omit<ManagedPolicy, 'compiled'>;

export class IamStore {
  readonly accountId: string;
  readonly roles = new Map<string, Role>();
  readonly users = new Map<string, Identity>();
  readonly #managed = new Map<string, ManagedPolicy>();

  constructor(accountId: string) {
    this.accountId = accountId;
  }

  /** The role of this name. Throws NoSuchEntity. */
  role(name: string): Role {
    const role = this.roles.get(name);
    if (!role) throw noSuchEntity(`The role with name ${name} cannot be found.`);
    return role;
  }

  /** The role with this ARN. Throws NoSuchEntity. */
  roleByArn(arn: string): Role {
    const role = this.roles.get(arn.slice(arn.lastIndexOf('/') + 1));
    if (role?.arn !== arn) throw noSuchEntity(`The role with ARN ${arn} cannot be found.`);
    return role;
  }

  get customerPolicies(): readonly ManagedPolicy[] {
    return [...this.#managed.values()].filter(({ arn }) => !arn.startsWith('arn:aws:iam::aws:'));
  }

  addManaged(policy: ManagedPolicy): void {
    this.#managed.set(policy.arn, policy);
  }

  removeManaged(arn: string): void {
    this.#managed.delete(arn);
  }

  /** A customer's or an AWS managed policy. Throws NoSuchEntity, or NotEmulated for a policy of AWS that is not built in. */
  managed(arn: string): ManagedPolicy {
    const found = this.#managed.get(arn) ?? this.#builtIn(arn);
    if (found) return found;
    if (arn.startsWith('arn:aws:iam::aws:')) {
      throw new AwsError('NotEmulated', `The local runtime does not have the AWS managed policy ${arn}.`, 501);
    }
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }

  /** All policies that decide what an identity may do. */
  *policiesOf(identity: Identity): Iterable<CompiledPolicy> {
    for (const { compiled } of identity.inline.values()) yield compiled;
    for (const arn of identity.attached) yield this.managed(arn).compiled;
  }

  *save(): Generator<KeptRecord> {
    for (const role of this.roles.values()) {
      yield [`role/${role.name}`, { ...keptIdentity(role), trust: role.trust.document }];
    }
    for (const user of this.users.values()) yield [`user/${user.name}`, keptIdentity(user)];
    for (const { compiled, ...policy } of this.customerPolicies) yield [`policy/${policy.arn}`, policy];
  }

  restore(records: KeptRecords): void {
    for (const { document, ...policy } of records.all<KeptPolicy>('policy/')) {
      this.addManaged({ ...policy, ...compiledPolicy(document, 'identity') });
    }
    for (const { trust, ...role } of records.all<KeptRole>('role/')) {
      this.roles.set(role.name, { ...role, inline: compiledAll(role.inline), trust: compiledPolicy(trust, 'trust') });
    }
    for (const user of records.all<KeptIdentity>('user/')) {
      this.users.set(user.name, { ...user, inline: compiledAll(user.inline) });
    }
  }

  #builtIn(arn: string): ManagedPolicy | undefined {
    const document = Object.hasOwn(AWS_MANAGED_POLICIES, arn) ? AWS_MANAGED_POLICIES[arn] : undefined;
    if (!document) return undefined;
    const name = arn.slice(arn.lastIndexOf('/') + 1);
    const path = arn.slice('arn:aws:iam::aws:policy'.length, -name.length);
    const compiled = compilePolicy(document, 'identity');
    const policy = { name, arn, path, id: `ANPA${name}`, description: undefined, createdAt: 0, document, compiled };
    this.#managed.set(arn, policy);
    return policy;
  }
}

function keptIdentity<T extends Identity>(identity: T): Omit<T, 'inline'> & KeptIdentity {
  return { ...identity, inline: new Map([...identity.inline].map(([name, { document }]) => [name, document])) };
}

function compiledAll(documents: ReadonlyMap<string, PolicyDocument>): Map<string, Policy> {
  return new Map([...documents].map(([name, document]) => [name, compiledPolicy(document, 'identity')]));
}

/** A document with its compiled form. Throws MalformedPolicyDocument. */
export function compiledPolicy(document: PolicyDocument, kind: PolicyKind): Policy {
  return { document, compiled: compilePolicy(document, kind) };
}

/** The error for an entity that does not exist. */
export function noSuchEntity(message: string): AwsError {
  return new AwsError('NoSuchEntity', message, 404);
}
