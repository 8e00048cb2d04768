import { randomInt } from 'node:crypto';
import { AwsError } from '../../kernel/errors.ts';

/** https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html */
export interface PasswordPolicy {
  readonly MinimumLength: number;
  readonly RequireUppercase: boolean;
  readonly RequireLowercase: boolean;
  readonly RequireNumbers: boolean;
  readonly RequireSymbols: boolean;
  readonly TemporaryPasswordValidityDays: number;
}

const MAX_LENGTH = 256;
const SYMBOL = /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/;

const KINDS: readonly (readonly [member: keyof PasswordPolicy, pattern: RegExp, what: string, sample: string])[] = [
  ['RequireUppercase', /[A-Z]/, 'uppercase characters', 'ABCDEFGHJKLMNPQRSTUVWXYZ'],
  ['RequireLowercase', /[a-z]/, 'lowercase characters', 'abcdefghijkmnopqrstuvwxyz'],
  ['RequireNumbers', /[0-9]/, 'numeric characters', '23456789'],
  ['RequireSymbols', SYMBOL, 'symbol characters', '!@#%&=+-'],
];

/** The policy of a pool that names none is Cognito's own. */
export function readPasswordPolicy(given: Partial<PasswordPolicy> | undefined): PasswordPolicy {
  if (!given) {
    const all = { RequireUppercase: true, RequireLowercase: true, RequireNumbers: true, RequireSymbols: true };
    return { MinimumLength: 8, ...all, TemporaryPasswordValidityDays: 7 };
  }
  return {
    MinimumLength: given.MinimumLength ?? 6,
    RequireUppercase: given.RequireUppercase ?? false,
    RequireLowercase: given.RequireLowercase ?? false,
    RequireNumbers: given.RequireNumbers ?? false,
    RequireSymbols: given.RequireSymbols ?? false,
    TemporaryPasswordValidityDays: given.TemporaryPasswordValidityDays ?? 7,
  };
}

/** @throws AwsError InvalidPasswordException that says what is missing */
export function requirePassword(policy: PasswordPolicy, password: string): void {
  const refuse = (detail: string) =>
    new AwsError('InvalidPasswordException', `Password did not conform with policy: ${detail}`);
  if (password.length < policy.MinimumLength) throw refuse('Password not long enough');
  if (password.length > MAX_LENGTH) throw refuse(`Password has more than ${MAX_LENGTH} characters`);
  if (password !== password.trim()) throw refuse('Password must not begin or end with a space');
  for (const [member, pattern, what] of KINDS) {
    if (policy[member] && !pattern.test(password)) throw refuse(`Password must have ${what}`);
  }
}

/** A temporary password that fits the policy. */
export function temporaryPassword(policy: PasswordPolicy): string {
  const samples = KINDS.map(([, , , sample]) => sample);
  const length = Math.max(policy.MinimumLength, 8);
  // One of each kind, then the rest; a temporary password needs no shuffle to be hard to guess.
  return Array.from({ length: length + 4 }, (_, at) => {
    const sample = samples[at % samples.length] ?? '';
    return sample[randomInt(sample.length)];
  }).join('');
}
