import { randomUUID } from 'node:crypto';
import { invalidParameter } from './errors.ts';
import type { User, UserPool } from './user-pool.ts';

/**
 * A user who is not there yet. Where people sign in with an attribute, what they give as user name is its value, and the
 * user name is made up: the `sub`.
 *
 * @throws AwsError InvalidParameterException when the name is of the wrong kind
 */
export function newUser(
  { settings }: UserPool,
  name: string,
  attributes: Readonly<Record<string, string>>,
  now: number,
): User {
  const sub = randomUUID();
  const attribute = settings.usernameAttributes.length > 0 ? kindOf(name, settings.usernameAttributes) : undefined;
  if (settings.usernameAttributes.length > 0 && attribute === undefined) {
    const kinds = settings.usernameAttributes.map((each) => (each === 'email' ? 'an email' : 'a phone number'));
    throw invalidParameter(`Username should be ${kinds.join(' or ')}.`);
  }
  if (!attribute && !/^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$/u.test(name)) throw invalidParameter('Invalid username');
  if (!attribute && settings.aliasAttributes.includes('email') && name.includes('@')) {
    throw invalidParameter('Username cannot be of email format, since user pool is configured for email alias.');
  }
  return {
    sub,
    username: attribute ? sub : name,
    attributes: attribute ? { ...attributes, [attribute]: name } : attributes,
    enabled: true,
    status: 'UNCONFIRMED',
    password: undefined,
    temporaryUntil: undefined,
    groups: [],
    createdAt: now,
    modifiedAt: now,
    code: undefined,
    failures: { count: 0, lockedUntil: 0 },
    activeMonth: undefined,
  };
}

function kindOf(name: string, allowed: readonly string[]): string | undefined {
  if (allowed.includes('email') && /^[^\s@]+@[^\s@]+$/.test(name)) return 'email';
  return allowed.includes('phone_number') && /^\+\d{5,15}$/.test(name) ? 'phone_number' : undefined;
}
