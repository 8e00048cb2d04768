import { isPassword, makeVerifier, type Verifier } from './srp.ts';
import type { UserPool } from './user-pool.ts';

/** What is kept of a password: enough to check it, not to know it. */
export type Password = Verifier;

/** The name of a pool within SRP: its id without the region. */
export function poolNameOf({ id }: Pick<UserPool, 'id'>): string {
  return id.slice(id.indexOf('_') + 1);
}

/** Keeps a password for a user. */
export function keepPassword(pool: UserPool, username: string, password: string): Password {
  return makeVerifier(poolNameOf(pool), username, password);
}

/** Whether this is the user's password; false without one. */
export function matchesPassword(
  pool: UserPool,
  { username, password }: { readonly username: string; readonly password: Password | undefined },
  given: string,
): boolean {
  return password !== undefined && isPassword(poolNameOf(pool), username, given, password);
}
