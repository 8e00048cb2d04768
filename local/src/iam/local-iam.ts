import type { Caller } from '../kernel/caller.ts';
import { AwsError } from '../kernel/errors.ts';
import { type KeptState, together } from '../kernel/kept-state.ts';
import type { CallContext, Permission } from '../kernel/service.ts';
import { type CompiledPolicy, compilePolicy } from './compile-policy.ts';
import { CredentialStore, type OwnedCredentials } from './credential-store.ts';
import { type Effect, evaluate } from './evaluate.ts';
import type { Credentials, Iam } from './iam.ts';
import { IamStore, type Identity } from './iam-store.ts';
import type { PolicyDocument } from './policy-document.ts';
import { requestKeys, type Surroundings } from './request-context.ts';

export interface LocalIamOptions {
  readonly region: string;
  readonly accountId: string;
  /** Virtual time, epoch milliseconds. */
  now(): number;
}

/** IAM and STS for the rest of the runtime: decides over permissions, opens role sessions, knows access keys. */
export class LocalIam implements Iam {
  readonly store: IamStore;
  readonly #options: LocalIamOptions;
  readonly #credentials: CredentialStore;
  readonly #surroundings: Surroundings;
  /** Policies of resources come with each call; a document is compiled when it is first seen. */
  readonly #resourcePolicies = new WeakMap<PolicyDocument, CompiledPolicy>();

  constructor(options: LocalIamOptions) {
    this.#options = options;
    this.store = new IamStore(options.accountId);
    this.#credentials = new CredentialStore(options.now);
    this.#surroundings = { ...options, principalTag: (caller, key) => this.#identityOf(caller)?.tags.get(key) };
  }

  /** Identities, policies and access keys: the state of the service IAM. */
  get state(): KeptState {
    return together(this.store, this.#credentials);
  }

  authorize(context: CallContext, permission: Permission): void {
    const { caller } = context;
    if (caller.kind === 'deployment') return;
    const keys = requestKeys(context, permission, this.#surroundings);
    const question = { caller, action: permission.action, resource: permission.resource, keys };
    const identity = this.#identityOf(caller);
    const byIdentity: Effect = identity ? evaluate(this.store.policiesOf(identity), question) : 'none';
    if (byIdentity === 'deny') throw denied(caller, permission, 'with an explicit deny in an identity-based policy');
    const policy = permission.resourcePolicy && this.#compileResourcePolicy(permission.resourcePolicy);
    const byResource: Effect = policy ? evaluate([policy], question) : 'none';
    if (byResource === 'deny') throw denied(caller, permission, 'with an explicit deny in a resource-based policy');
    if (byResource === 'allow') return;
    const hasLeave = permission.resourcePolicyDecides !== true || byResource === 'allow-through-account';
    if (byIdentity === 'allow' && hasLeave) return;
    const kind = caller.kind === 'service' || !hasLeave ? 'resource-based' : 'identity-based';
    throw denied(caller, permission, `because no ${kind} policy allows the ${permission.action} action`);
  }

  assumeRole(roleArn: string, by: Caller, sessionName: string): Caller {
    const role = this.store.roleByArn(roleArn);
    const context: CallContext = { caller: by, requestId: '' };
    const permission: Permission = {
      action: 'sts:AssumeRole',
      resource: roleArn,
      context: {
        'sts:RoleSessionName': sessionName,
        // Firehose identifies the account by this when it takes a role; roles for it may ask for it.
        ...(by.kind === 'service' && by.arn === 'firehose.amazonaws.com' ? { 'sts:ExternalId': by.accountId } : {}),
      },
    };
    this.#requireTrust(context, permission, role.trust.compiled);
    const { accountId } = this.#options;
    return sessionOf(roleArn, role.name, accountId, sessionName);
  }

  /**
   * A session of a role for somebody whom an identity provider vouches for. `keys` are the condition keys that the provider
   * gives, in lower case, for the trust policy and for the policies of the session
   * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
   *
   * @throws AwsError AccessDenied when the trust policy does not allow it, NoSuchEntity when there is no such role
   */
  assumeRoleWithWebIdentity(
    roleArn: string,
    provider: string,
    sessionName: string,
    keys: Readonly<Record<string, string | readonly string[]>>,
  ): Caller {
    const role = this.store.roleByArn(roleArn);
    const { accountId } = this.#options;
    const caller: Caller = { kind: 'federated', arn: provider, accountId };
    const context = { ...keys, 'sts:RoleSessionName': sessionName };
    const permission: Permission = { action: 'sts:AssumeRoleWithWebIdentity', resource: roleArn, context };
    this.#requireTrust({ caller, requestId: '' }, permission, role.trust.compiled);
    const sessionKeys = { ...keys, 'aws:federatedprovider': provider };
    return { ...sessionOf(role.arn, role.name, accountId, sessionName), sessionKeys };
  }

  issueCredentials(session: Caller, durationSeconds: number): Credentials {
    return this.#credentials.issue(session, durationSeconds);
  }

  findCredentials(accessKeyId: string): OwnedCredentials | undefined {
    const found = this.#credentials.find(accessKeyId);
    return found && found.credentials.expiresAt > this.#options.now() ? found : undefined;
  }

  /** Whose access key this is, also when it has expired: the front door tells its user so. */
  credentialsOf(accessKeyId: string): OwnedCredentials | undefined {
    return this.#credentials.find(accessKeyId);
  }

  /** Gives a user long-term access keys. */
  addAccessKey(caller: Caller, accessKeyId: string, secretAccessKey: string): void {
    this.#credentials.addLongTerm(caller, accessKeyId, secretAccessKey);
  }

  /** A role's trust policy must allow; one that names only the account leaves the rest to the caller's own policies. */
  #requireTrust(context: CallContext, permission: Permission, trust: CompiledPolicy): void {
    const { caller } = context;
    if (caller.kind === 'deployment') return;
    const keys = requestKeys(context, permission, this.#surroundings);
    const question = { caller, action: permission.action, resource: permission.resource, keys };
    const byTrust = evaluate([trust], question);
    const identity = this.#identityOf(caller);
    const byIdentity: Effect = identity ? evaluate(this.store.policiesOf(identity), question) : 'none';
    if (byTrust === 'deny' || byIdentity === 'deny') {
      const kind = byTrust === 'deny' ? 'a resource-based' : 'an identity-based';
      throw trustDenied(caller, permission, ` with an explicit deny in ${kind} policy`);
    }
    if (byTrust === 'allow' || (byTrust === 'allow-through-account' && byIdentity === 'allow')) return;
    throw trustDenied(caller, permission, '');
  }

  #identityOf(caller: Caller): Identity | undefined {
    if (caller.kind === 'role') return this.store.roles.get(caller.roleName);
    return caller.kind === 'user' ? this.store.users.get(caller.userName) : undefined;
  }

  #compileResourcePolicy(document: PolicyDocument): CompiledPolicy {
    const known = this.#resourcePolicies.get(document);
    if (known) return known;
    const compiled = compilePolicy(document, 'resource');
    this.#resourcePolicies.set(document, compiled);
    return compiled;
  }
}

function sessionOf(roleArn: string, roleName: string, accountId: string, sessionName: string) {
  const arn = `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`;
  return { kind: 'role', arn, accountId, roleArn, roleName, sessionName } as const;
}

/** The wording of https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html. */
function denied(caller: Caller, { action, resource }: Permission, reason: string): AwsError {
  return new AwsError(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
    403,
  );
}

function trustDenied(caller: Caller, { action, resource }: Permission, reason: string): AwsError {
  return new AwsError(
    'AccessDenied',
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource}${reason}`,
    403,
  );
}
