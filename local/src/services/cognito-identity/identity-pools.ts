import { randomUUID } from 'node:crypto';
import type { KeptState } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import { notFound, required } from './errors.ts';

/** A user pool with a client, whose ID tokens the pool takes. */
export interface UserPoolProvider {
  readonly ProviderName?: string;
  readonly ClientId?: string;
  readonly ServerSideTokenCheck?: boolean;
}

/** How an identity's role is found. Rules over claims are not emulated. */
export interface RoleMapping {
  readonly Type?: string;
  readonly AmbiguousRoleResolution?: string;
}

export interface IdentityPool {
  readonly id: string;
  readonly name: string;
  readonly allowUnauthenticated: boolean;
  readonly providers: readonly UserPoolProvider[];
  /** `authenticated` and `unauthenticated` -> ARN. */
  readonly roles: Readonly<Record<string, string>>;
  /** `<provider>:<client id>` -> mapping. */
  readonly roleMappings: Readonly<Record<string, RoleMapping>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** A person or a guest, the same at every sign-in. */
export interface Identity {
  /** `us-east-1:<uuid>` */
  readonly id: string;
  readonly poolId: string;
  /** Provider -> the user's `sub` there; empty for a guest. */
  readonly logins: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** The identity pools of the account and who is known to them. Pools and identities are replaced, never changed. */
export class IdentityPools {
  readonly kernel: Kernel;
  readonly #pools = new Map<string, IdentityPool>();
  readonly #identities = new Map<string, Identity>();
  /** Pool, provider and sub -> identity. */
  readonly #byLogin = new Map<string, string>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly IdentityPool[] {
    return [...this.#pools.values()];
  }

  get state(): KeptState {
    const [pools, identities] = [this.#pools, this.#identities];
    return {
      *save() {
        for (const pool of pools.values()) yield [`pool/${pool.id}`, pool, pool];
        for (const identity of identities.values()) yield [`identity/${identity.id}`, identity, identity];
      },
      restore: (records) => {
        for (const pool of records.all<IdentityPool>('pool/')) this.put(pool);
        for (const identity of records.all<Identity>('identity/')) this.#remember(identity);
      },
    };
  }

  /** A new id for a pool or an identity. */
  newId(): string {
    return `${this.kernel.region}:${randomUUID()}`;
  }

  put(pool: IdentityPool): void {
    this.#pools.set(pool.id, pool);
  }

  delete({ id }: IdentityPool): void {
    for (const identity of this.identitiesOf(id)) this.deleteIdentity(identity);
    this.#pools.delete(id);
  }

  /** Throws ResourceNotFoundException. */
  get(id: string | undefined): IdentityPool {
    const pool = this.#pools.get(required(id, 'IdentityPoolId'));
    if (!pool) throw notFound(`IdentityPool '${id}' not found.`);
    return pool;
  }

  /** Throws ResourceNotFoundException. */
  identity(id: string | undefined): Identity {
    const identity = this.#identities.get(required(id, 'IdentityId'));
    if (!identity) throw notFound(`Identity '${id}' not found.`);
    return identity;
  }

  identitiesOf(poolId: string): readonly Identity[] {
    return [...this.#identities.values()].filter((each) => each.poolId === poolId);
  }

  findByLogin(poolId: string, provider: string, sub: string): Identity | undefined {
    const id = this.#byLogin.get(loginKey(poolId, provider, sub));
    return id === undefined ? undefined : this.#identities.get(id);
  }

  /** A new identity, of a guest without logins. */
  add(poolId: string, logins: Identity['logins']): Identity {
    const now = this.kernel.clock.now();
    return this.#remember({ id: this.newId(), poolId, logins, createdAt: now, modifiedAt: now });
  }

  /** The same identity with more logins. */
  link(identity: Identity, logins: Identity['logins']): Identity {
    const all = { ...identity.logins, ...logins };
    return this.#remember({ ...identity, logins: all, modifiedAt: this.kernel.clock.now() });
  }

  deleteIdentity({ id, poolId, logins }: Identity): void {
    for (const [provider, sub] of Object.entries(logins)) this.#byLogin.delete(loginKey(poolId, provider, sub));
    this.#identities.delete(id);
  }

  /** The permission for one action on one pool. */
  permission(action: string, id: string | undefined): Permission {
    const resource = this.kernel.arn('cognito-identity', `identitypool/${required(id, 'IdentityPoolId')}`);
    return { action: `cognito-identity:${action}`, resource };
  }

  #remember(identity: Identity): Identity {
    this.#identities.set(identity.id, identity);
    for (const [provider, sub] of Object.entries(identity.logins)) {
      this.#byLogin.set(loginKey(identity.poolId, provider, sub), identity.id);
    }
    return identity;
  }
}

function loginKey(poolId: string, provider: string, sub: string): string {
  return JSON.stringify([poolId, provider, sub]);
}
