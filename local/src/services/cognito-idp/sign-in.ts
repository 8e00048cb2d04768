import { createHmac, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { Challenges } from './challenges.ts';
import { sameText } from './client-access.ts';
import { invalidParameter, notAuthorized, wrongPassword } from './errors.ts';
import { countFailure, requireNotLocked } from './lockout.ts';
import { keepPassword, matchesPassword, poolNameOf } from './password.ts';
import { requirePassword } from './password-policy.ts';
import { needsSoftwareToken, takeSoftwareTokenCode } from './software-token.ts';
import { expectedSignature, isPublicKey, makeServerKeys } from './srp.ts';
import type { User, UserPoolClient } from './user-pool.ts';
import type { Members } from './user-pools.ts';

/** Who has signed in, or what the client has to do next. */
export type SignInStep =
  | { readonly user: User }
  | {
      readonly ChallengeName: string;
      readonly Session?: string;
      readonly ChallengeParameters: Readonly<Record<string, string>>;
    };

type Parameters = Readonly<Record<string, string>>;

/** With the day not padded, as clients write it: `Tue Nov 3 09:05:01 UTC 2026`. */
const TIMESTAMP =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{1,2} \d\d:\d\d:\d\d UTC \d{4}$/;

/** Signs people in: password, SRP, and the challenges on the way. What they get then is decided by who asks. */
export class SignIn {
  readonly #kernel: Kernel;
  readonly #challenges: Challenges;
  /** Makes the salt of a user who does not exist the same each time. */
  readonly #pretence = randomBytes(32);

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#challenges = new Challenges(kernel.clock);
  }

  /**
   * The user with this password, whatever is still to do for them.
   *
   * @throws AwsError NotAuthorizedException, UserNotFoundException where the client does not hide who exists
   */
  checkPassword(members: Members, client: UserPoolClient, username: string, password: string): User {
    const now = this.#kernel.clock.now();
    const user = this.#visible(members, client, username);
    if (!user) throw wrongPassword();
    requireNotLocked(user, now);
    if (!matchesPassword(members.pool, user, password)) {
      countFailure(members.users, user, now);
      throw wrongPassword();
    }
    return this.requireUsable(user);
  }

  /** Throws NotAuthorizedException, UserNotConfirmedException or PasswordResetRequiredException. */
  requireUsable(user: User): User {
    if (!user.enabled) throw notAuthorized('User is disabled.');
    if (user.status === 'UNCONFIRMED') throw new AwsError('UserNotConfirmedException', 'User is not confirmed.');
    if (user.status === 'RESET_REQUIRED') {
      throw new AwsError('PasswordResetRequiredException', 'Password reset required for the user');
    }
    if (user.temporaryUntil !== undefined && user.temporaryUntil <= this.#kernel.clock.now()) {
      throw notAuthorized('Temporary password has expired and must be reset by an administrator.');
    }
    return user;
  }

  /** What follows the right password. */
  proceed(members: Members, client: UserPoolClient, user: User): SignInStep {
    const { pool, users } = members;
    if (user.status === 'FORCE_CHANGE_PASSWORD') {
      const required = pool.settings.schema.filter((each) => each.required && !user.attributes[each.name]);
      return {
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        Session: this.#challenges.add({ kind: 'new-password', sub: user.sub }, client),
        ChallengeParameters: {
          USER_ID_FOR_SRP: user.username,
          requiredAttributes: JSON.stringify(required.map(({ name }) => `userAttributes.${name}`)),
          userAttributes: JSON.stringify(user.attributes),
        },
      };
    }
    if (needsSoftwareToken(pool, user)) {
      return {
        ChallengeName: 'SOFTWARE_TOKEN_MFA',
        Session: this.#challenges.add({ kind: 'software-token', sub: user.sub }, client),
        ChallengeParameters: { USER_ID_FOR_SRP: user.username },
      };
    }
    // Only now: who knows the password must not get new attempts at the code with it.
    return { user: users.put({ ...user, failures: { count: 0, lockedUntil: 0 } }) };
  }

  startSrp(members: Members, client: UserPoolClient, username: string, clientPublicKey: string): SignInStep {
    if (!isPublicKey(clientPublicKey)) throw invalidParameter('SRP_A is not a public value of the 3072-bit group');
    const user = this.#visible(members, client, username);
    if (user) requireNotLocked(user, this.#kernel.clock.now());
    const pretended = createHmac('sha256', this.#pretence).update(username).digest('hex');
    const { salt, verifier } = user?.password ?? { salt: pretended.slice(0, 32), verifier: pretended };
    const server = makeServerKeys(verifier);
    const challenge = { kind: 'srp', sub: user?.sub, clientPublicKey, server } as const;
    return {
      ChallengeName: 'PASSWORD_VERIFIER',
      ChallengeParameters: {
        SALT: salt,
        SECRET_BLOCK: this.#challenges.add(challenge, client),
        SRP_B: server.publicKey,
        USERNAME: user?.username ?? username,
        USER_ID_FOR_SRP: user?.username ?? username,
      },
    };
  }

  /** Answers PASSWORD_VERIFIER. Throws NotAuthorizedException. */
  verifySrp(members: Members, client: UserPoolClient, given: Parameters): SignInStep {
    const { PASSWORD_CLAIM_SECRET_BLOCK: secretBlock = '', TIMESTAMP: timestamp = '' } = given;
    const challenge = this.#challenges.take('srp', secretBlock, client);
    if (!challenge) throw wrongPassword();
    if (!TIMESTAMP.test(timestamp))
      throw invalidParameter('TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.');
    const user = challenge.sub === undefined ? undefined : members.users.bySub(challenge.sub);
    const password = user?.password;
    if (!user || !password) throw wrongPassword();
    const now = this.#kernel.clock.now();
    requireNotLocked(user, now);
    const expected = expectedSignature({
      poolName: poolNameOf(members.pool),
      username: user.username,
      verifier: password.verifier,
      clientPublicKey: challenge.clientPublicKey,
      server: challenge.server,
      secretBlock,
      timestamp,
    });
    if (!sameText(given.PASSWORD_CLAIM_SIGNATURE ?? '', expected)) {
      countFailure(members.users, user, now);
      throw wrongPassword();
    }
    return this.proceed(members, client, this.requireUsable(user));
  }

  /** Answers NEW_PASSWORD_REQUIRED. Throws NotAuthorizedException, InvalidPasswordException. */
  setNewPassword(
    members: Members,
    client: UserPoolClient,
    session: string,
    password: string,
    attributes: Readonly<Record<string, string>>,
  ): SignInStep {
    // A password against the policy may be followed by a better one.
    requirePassword(members.pool.settings.passwordPolicy, password);
    const challenge = this.#challenges.take('new-password', session, client);
    const user = challenge && members.users.bySub(challenge.sub);
    if (user?.status !== 'FORCE_CHANGE_PASSWORD') throw invalidSession();
    this.requireUsable(user);
    return this.proceed(members, client, this.changePassword(members, user, password, attributes));
  }

  /** Answers SOFTWARE_TOKEN_MFA. A wrong code may be followed by another one. Throws as takeSoftwareTokenCode. */
  takeCode(members: Members, client: UserPoolClient, session: string, code: string): SignInStep {
    const challenge = this.#challenges.find('software-token', session, client);
    const user = challenge && members.users.bySub(challenge.sub);
    if (!user) throw invalidSession();
    const { users } = members;
    const known = takeSoftwareTokenCode(members, this.requireUsable(user), code, this.#kernel.clock.now());
    this.#challenges.take('software-token', session, client);
    return { user: users.put({ ...known, failures: { count: 0, lockedUntil: 0 } }) };
  }

  /** A password of the user's own choice. Throws InvalidPasswordException. */
  changePassword(
    { pool, users }: Members,
    user: User,
    password: string,
    attributes: Readonly<Record<string, string>> = {},
  ): User {
    requirePassword(pool.settings.passwordPolicy, password);
    return users.put({
      ...user,
      password: keepPassword(pool, user.username, password),
      attributes: { ...user.attributes, ...attributes },
      temporaryUntil: undefined,
      status: 'CONFIRMED',
      modifiedAt: this.#kernel.clock.now(),
      failures: { count: 0, lockedUntil: 0 },
    });
  }

  /** AWS charges for everybody who was active in a calendar month, once. */
  countActive({ pool, users }: Members, user: User): User {
    const month = new Date(this.#kernel.clock.now()).toISOString().slice(0, 7);
    if (user.activeMonth === month) return user;
    this.#kernel.meter.add(`cognitoUser${pool.settings.tier}`, pool.name);
    return users.put({ ...user, activeMonth: month });
  }

  /** The user; undefined for one who does not exist, where that is not told. */
  #visible({ users }: Members, { settings }: UserPoolClient, username: string): User | undefined {
    return settings.hidesUserExistence ? users.find(username) : users.get(username);
  }
}

function invalidSession(): AwsError {
  return notAuthorized('Invalid session for the user, session is expired.');
}
