/** The authenticator app of a user: https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa-totp.html */
import { AwsError } from '../../kernel/errors.ts';
import { codeMismatch, invalidParameter } from './errors.ts';
import { countFailure, requireNotLocked } from './lockout.ts';
import { matchTotp, newTotpSecret } from './totp.ts';
import type { User, UserPool } from './user-pool.ts';
import type { Members } from './user-pools.ts';

/** SoftwareTokenMfaSettings of the API. */
export interface SoftwareTokenPreference {
  readonly Enabled?: boolean;
  readonly PreferredMfa?: boolean;
}

/** Gives a user a new secret, base32. The one before is gone at once: until this one is verified there is no second factor. */
export function associateSoftwareToken({ pool, users }: Members, user: User): string {
  requireSoftwareTokens(pool);
  const secret = newTotpSecret();
  const softwareToken = { secret, verified: false, enabled: false, preferred: false, lastStep: 0 };
  users.put({ ...user, softwareToken });
  return secret;
}

/**
 * Verifies that the app has the secret.
 *
 * @throws AwsError SoftwareTokenMFANotFoundException, EnableSoftwareTokenMFAException for a wrong code
 */
export function verifySoftwareToken({ pool, users }: Members, user: User, code: string, now: number): void {
  requireSoftwareTokens(pool);
  const { softwareToken } = user;
  if (!softwareToken) throw notFound('Software Token MFA has not been associated by the user.');
  requireForm(code);
  requireNotLocked(user, now);
  const step = matchTotp(softwareToken.secret, code, now);
  if (step === undefined) {
    countFailure(users, user, now);
    throw new AwsError('EnableSoftwareTokenMFAException', 'Code mismatch and fail enable Software Token MFA');
  }
  users.put({ ...user, softwareToken: { ...softwareToken, verified: true, lastStep: step } });
}

/**
 * Whether a user is asked for a code at sign-in.
 *
 * @throws AwsError InvalidParameterException when there is no verified app to ask
 */
export function preferSoftwareToken(
  { users }: Members,
  user: User,
  { Enabled = false, PreferredMfa = false }: SoftwareTokenPreference,
  now: number,
): void {
  const { softwareToken } = user;
  if (!softwareToken?.verified) {
    if (Enabled) throw invalidParameter('User has not verified software token mfa');
    return;
  }
  if (PreferredMfa && !Enabled) throw invalidParameter('A factor that is not enabled cannot be preferred');
  const changed = { ...softwareToken, enabled: Enabled, preferred: PreferredMfa };
  users.put({ ...user, softwareToken: changed, modifiedAt: now });
}

/** Whether the right password is not enough. */
export function needsSoftwareToken({ settings }: UserPool, { softwareToken }: User): boolean {
  return settings.mfa === 'OPTIONAL' && softwareToken?.verified === true && softwareToken.enabled;
}

/**
 * Takes a code at sign-in; each is good for one.
 *
 * @throws AwsError CodeMismatchException, ExpiredCodeException; NotAuthorizedException after too many wrong ones
 */
export function takeSoftwareTokenCode({ users }: Members, user: User, code: string, now: number): User {
  const { softwareToken } = user;
  if (!softwareToken?.verified) throw notFound('Software Token MFA has not been associated by the user.');
  requireForm(code);
  requireNotLocked(user, now);
  const step = matchTotp(softwareToken.secret, code, now);
  if (step === undefined) {
    countFailure(users, user, now);
    throw codeMismatch();
  }
  if (step <= softwareToken.lastStep) {
    throw new AwsError('ExpiredCodeException', 'Your software token has already been used once.');
  }
  return users.put({ ...user, softwareToken: { ...softwareToken, lastStep: step } });
}

/** The factors of a user, as GetUser and AdminGetUser show them. */
export function describeFactors({ softwareToken }: User): object {
  if (!softwareToken?.enabled) return {};
  const name = 'SOFTWARE_TOKEN_MFA';
  return { UserMFASettingList: [name], ...(softwareToken.preferred && { PreferredMfaSetting: name }) };
}

function requireSoftwareTokens({ settings }: UserPool): void {
  if (settings.mfa !== 'OPTIONAL') throw notFound('Software Token MFA has not been enabled by the userPool.');
}

function requireForm(code: string): void {
  if (!/^\d{6}$/.test(code)) throw invalidParameter('A code has six digits');
}

function notFound(message: string): AwsError {
  return new AwsError('SoftwareTokenMFANotFoundException', message);
}
