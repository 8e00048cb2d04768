import { randomInt, timingSafeEqual } from 'node:crypto';
import type { Kernel } from '../../kernel/kernel.ts';
import { codeMismatch, expiredCode, invalidParameter } from './errors.ts';
import { limitExceeded } from './lockout.ts';
import type { Code, User, UserPool } from './user-pool.ts';
import type { Members } from './user-pools.ts';

/** "Forgot password code: 1 hour"; those for confirmation and for attributes 24 (limits, user pools code validity). */
const HOUR_MS = 3_600_000;
/** Then a new code has to be asked for. AWS counts by user and hour, in ways that it does not tell. */
const MAX_FAILURES = 5;

/** Where a code went, with all but a letter of it hidden. */
export interface CodeDeliveryDetails {
  readonly Destination: string;
  readonly DeliveryMedium: 'EMAIL' | 'SMS';
  readonly AttributeName: string;
}

/**
 * Sends a person a new code; the one before counts no more.
 *
 * @throws AwsError InvalidParameterException when there is no address to send it to
 */
export function sendCode(
  kernel: Kernel,
  { pool, users }: Members,
  user: User,
  purpose: Code['purpose'],
): CodeDeliveryDetails {
  const attribute = deliveryAttribute(pool, user, purpose);
  if (attribute === undefined) {
    throw invalidParameter(problemWith(purpose));
  }
  const value = String(randomInt(1_000_000)).padStart(6, '0');
  const expiresAt = kernel.clock.now() + (purpose === 'password' ? HOUR_MS : 24 * HOUR_MS);
  users.put({ ...user, code: { purpose, value, expiresAt, failures: 0 } });
  const { verificationSubject, verificationMessage } = pool.settings;
  const pending = purpose === `attribute/${attribute}` ? user.pending?.[attribute] : undefined;
  const destination = pending ?? user.attributes[attribute] ?? '';
  const isEmail = attribute === 'email';
  kernel.outbox.add({
    channel: isEmail ? 'email' : 'sms',
    destination,
    topic: null,
    subject: isEmail ? verificationSubject : null,
    message: verificationMessage.replaceAll('{####}', value),
    details: { userPoolId: pool.id, username: user.username, code: value },
  });
  return deliveryDetails(attribute, destination);
}

/** What is answered about a delivery, or made up for a user who does not exist. */
export function deliveryDetails(attribute: string, destination: string): CodeDeliveryDetails {
  if (attribute !== 'email') {
    return { Destination: `+*******${destination.slice(-4)}`, DeliveryMedium: 'SMS', AttributeName: attribute };
  }
  const [name = '', domain = ''] = destination.split('@');
  const hidden = `${name.slice(0, 1)}***@${domain.slice(0, 1)}***`;
  return { Destination: hidden, DeliveryMedium: 'EMAIL', AttributeName: 'email' };
}

/**
 * Takes the code that a person has read; it is good for one use.
 *
 * @throws AwsError CodeMismatchException, ExpiredCodeException, LimitExceededException after too many wrong ones
 */
export function takeCode(
  kernel: Kernel,
  { users }: Members,
  user: User,
  purpose: Code['purpose'],
  given: string,
): User {
  const { code } = user;
  if (code?.purpose !== purpose || code.expiresAt <= kernel.clock.now()) throw expiredCode();
  if (code.failures >= MAX_FAILURES) throw limitExceeded();
  const same = given.length === code.value.length && timingSafeEqual(Buffer.from(given), Buffer.from(code.value));
  if (!same) {
    users.put({ ...user, code: { ...code, failures: code.failures + 1 } });
    throw codeMismatch();
  }
  return users.put({ ...user, code: undefined });
}

function problemWith(purpose: Code['purpose']): string {
  if (purpose === 'sign-up') return 'Auto verification not turned on.';
  if (purpose !== 'password') return 'There is no such address to verify.';
  return 'Cannot reset password for the user as there is no registered/verified email or phone_number';
}

function deliveryAttribute(
  { settings }: UserPool,
  { attributes, pending }: User,
  purpose: Code['purpose'],
): string | undefined {
  const [, own] = purpose.split('/');
  if (own !== undefined)
    return ['email', 'phone_number'].find((name) => name === own && { ...attributes, ...pending }[name] !== undefined);
  const possible = purpose === 'sign-up' ? settings.autoVerifiedAttributes : ['email', 'phone_number'];
  const isGood = (name: string) => purpose === 'sign-up' || attributes[`${name}_verified`] === 'true';
  return ['email', 'phone_number'].find(
    (name) => possible.includes(name) && attributes[name] !== undefined && isGood(name),
  );
}
