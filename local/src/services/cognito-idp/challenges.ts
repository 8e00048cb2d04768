import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import type { ServerKeys } from './srp.ts';
import type { UserPoolClient } from './user-pool.ts';

/** What a client has to answer before somebody is signed in. */
export type Challenge =
  | {
      readonly kind: 'srp';
      /** Undefined for a user who does not exist: the challenge is made up, and cannot be met. */
      readonly sub: string | undefined;
      readonly clientPublicKey: string;
      readonly server: ServerKeys;
    }
  | { readonly kind: 'new-password'; readonly sub: string }
  | { readonly kind: 'software-token'; readonly sub: string };

type Kept = Challenge & { readonly clientId: string; readonly expiresAt: number };

/** Beyond this the oldest unanswered challenge is forgotten. */
const MAX_CHALLENGES = 10_000;

/** The open challenges of all pools, each known to its client by a key. They do not outlive the runtime. */
export class Challenges {
  readonly #clock: Clock;
  readonly #open = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives the key. It is good for as long as the client says (AuthSessionValidity). */
  add(challenge: Challenge, { id, settings }: UserPoolClient): string {
    const key = randomBytes(96).toString('base64');
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < MAX_CHALLENGES) break;
      this.#open.delete(oldest);
    }
    const expiresAt = this.#clock.now() + settings.authSessionSeconds * 1000;
    this.#open.set(key, { ...challenge, clientId: id, expiresAt });
    return key;
  }

  /** An open challenge of this client; undefined when there is none. */
  find<Kind extends Challenge['kind']>(
    kind: Kind,
    key: string,
    client: UserPoolClient,
  ): Extract<Kept, { readonly kind: Kind }> | undefined {
    const found = this.#open.get(key);
    if (found?.kind !== kind || found.clientId !== client.id || found.expiresAt <= this.#clock.now()) return undefined;
    return found as Extract<Kept, { readonly kind: Kind }>;
  }

  /** The same, for an answer that is the only one. */
  take<Kind extends Challenge['kind']>(
    kind: Kind,
    key: string,
    client: UserPoolClient,
  ): Extract<Kept, { readonly kind: Kind }> | undefined {
    const found = this.find(kind, key, client);
    if (found) this.#open.delete(key);
    return found;
  }
}
