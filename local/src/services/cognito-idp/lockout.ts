import { AwsError } from '../../kernel/errors.ts';
import { notAuthorized } from './errors.ts';
import type { PoolUsers } from './pool-users.ts';
import type { User } from './user-pool.ts';

/**
 * "After five failed sign-in attempts … locks out your user for one second. The lockout duration then doubles after each
 * additional failed attempt, up to a maximum of approximately 15 minutes" (managing-users-passwords).
 */
const FREE_ATTEMPTS = 5;
const LONGEST_LOCK_MS = 900_000;

/** Throws NotAuthorizedException while no password is tried. What is tried meanwhile makes it no longer. */
export function requireNotLocked({ failures }: User, now: number): void {
  if (failures.lockedUntil > now) throw notAuthorized('Password attempts exceeded');
}

/** Counts a wrong password. */
export function countFailure(users: PoolUsers, user: User, now: number): void {
  const quiet = now - user.failures.lockedUntil > LONGEST_LOCK_MS;
  const count = (quiet && user.failures.count >= FREE_ATTEMPTS ? 0 : user.failures.count) + 1;
  const lock = count < FREE_ATTEMPTS ? 0 : Math.min(1000 * 2 ** (count - FREE_ATTEMPTS), LONGEST_LOCK_MS);
  users.put({ ...user, failures: { count, lockedUntil: lock === 0 ? user.failures.lockedUntil : now + lock } });
}

export function limitExceeded(): AwsError {
  return new AwsError('LimitExceededException', 'Attempt limit exceeded, please try after some time.');
}
