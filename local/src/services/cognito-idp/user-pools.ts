import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeptState } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import { invalidParameter, notFound, required } from './errors.ts';
import { PoolUsers } from './pool-users.ts';
import { Sessions } from './sessions.ts';
import type { PoolSettings, Session, User, UserPool, UserPoolClient } from './user-pool.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RSA_BITS = 2048;

/** A pool with the people in it. */
export interface Members {
  readonly pool: UserPool;
  readonly users: PoolUsers;
  readonly sessions: Sessions;
}

/** The user pools of the account. */
export class UserPools {
  readonly kernel: Kernel;
  readonly #pools = new Map<string, Members>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly Members[] {
    return [...this.#pools.values()];
  }

  get state(): KeptState {
    const pools = this.#pools;
    return {
      *save() {
        for (const { pool, users, sessions } of pools.values()) {
          yield [`pool/${pool.id}`, pool];
          for (const user of users.all) yield [`user/${pool.id}/${user.sub}`, [pool.id, user], user];
          for (const session of sessions.all) yield [`session/${pool.id}/${session.id}`, [pool.id, session], session];
        }
      },
      restore: (records) => {
        for (const pool of records.all<UserPool>('pool/')) this.#add(pool);
        for (const [poolId, user] of records.all<[string, User]>('user/')) this.get(poolId).users.put(user);
        for (const [poolId, session] of records.all<[string, Session]>('session/')) {
          this.get(poolId).sessions.put(session);
        }
      },
    };
  }

  async create(name: string, settings: PoolSettings): Promise<UserPool> {
    const { kernel } = this;
    const id = `${kernel.region}_${randomOf(LETTERS, 9)}`;
    const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
    const now = kernel.clock.now();
    const pool: UserPool = {
      id,
      arn: kernel.arn('cognito-idp', `userpool/${id}`),
      name,
      createdAt: now,
      modifiedAt: now,
      settings,
      signingKey: {
        kid: randomBytes(32).toString('base64'),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
      clients: new Map(),
      groups: new Map(),
      resourceServers: new Map(),
      domain: undefined,
    };
    this.#add(pool);
    return pool;
  }

  delete(id: string): void {
    this.#pools.delete(id);
  }

  /** Throws ResourceNotFoundException. */
  get(id: string | undefined): Members {
    const found = this.#pools.get(required(id, 'UserPoolId'));
    if (!found) throw notFound(`User pool ${id} does not exist.`);
    return found;
  }

  find(id: string): Members | undefined {
    return this.#pools.get(id);
  }

  /** A pool by the id of one of its clients, which is all that public operations know. Throws ResourceNotFoundException. */
  byClient(clientId: string | undefined): Members & { readonly client: UserPoolClient } {
    const id = required(clientId, 'ClientId');
    for (const members of this.#pools.values()) {
      const client = members.pool.clients.get(id);
      if (client) return { ...members, client };
    }
    throw notFound(`User pool client ${id} does not exist.`);
  }

  /** Throws InvalidParameterException when another pool has it. */
  requireFreeDomain(domain: string): void {
    if (this.all.some(({ pool }) => pool.domain === domain)) {
      throw invalidParameter(`Domain already associated with another user pool.`);
    }
  }

  /** The permission for one action on one pool. */
  permission(action: string, id: string | undefined): readonly Permission[] {
    const poolId = required(id, 'UserPoolId');
    return [{ action: `cognito-idp:${action}`, resource: this.kernel.arn('cognito-idp', `userpool/${poolId}`) }];
  }

  #add(pool: UserPool): void {
    this.#pools.set(pool.id, { pool, users: new PoolUsers(pool), sessions: new Sessions(this.kernel.clock) });
  }
}

/** `iss` of the pool's tokens, the same as on AWS. */
export function issuerOf({ region }: Kernel, { id }: Pick<UserPool, 'id'>): string {
  return `https://cognito-idp.${region}.amazonaws.com/${id}`;
}

/** A client id as AWS makes them. */
export function newClientId(): string {
  return randomOf('abcdefghijklmnopqrstuvwxyz0123456789', 26);
}

export function newClientSecret(): string {
  return randomOf('abcdefghijklmnopqrstuvwxyz0123456789', 51);
}

/** Without bias: a byte that would favour some characters is drawn again. */
function randomOf(characters: string, length: number): string {
  const limit = 256 - (256 % characters.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < limit && text.length < length) text += characters[byte % characters.length];
    }
  }
  return text;
}
