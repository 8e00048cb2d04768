import { createHmac, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { sameText } from './client-access.ts';
import { invalidParameter, notAuthorized, wrongPassword } from './errors.ts';
import { countFailure, requireNotLocked } from './lockout.ts';
import { keepPassword, matchesPassword, poolNameOf } from './password.ts';
import { requirePassword } from './password-policy.ts';
import { expectedSignature, isPublicKey, makeServerKeys, type ServerKeys } from './srp.ts';
import { API_SCOPE, issueTokens } from './tokens.ts';
import type { User, UserPoolClient } from './user-pool.ts';
import type { Members } from './user-pools.ts';

/** Tokens, or what the client has to do next. */
export type SignInResult =
  | { readonly AuthenticationResult: object; readonly ChallengeParameters: object }
  | { readonly ChallengeName: string; readonly Session?: string; readonly ChallengeParameters: object };

type Parameters = Readonly<Record<string, string>>;

interface SrpChallenge {
  readonly kind: 'srp';
  /** Undefined for a user who does not exist: the challenge is made up, and cannot be met. */
  readonly user: User | undefined;
  readonly clientPublicKey: string;
  readonly server: ServerKeys;
}

type Challenge = (SrpChallenge | { readonly kind: 'new-password'; readonly user: User }) & {
  readonly clientId: string;
  readonly expiresAt: number;
};

/** With the day not padded, as clients write it: `Tue Nov 3 09:05:01 UTC 2026`. */
const TIMESTAMP =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{1,2} \d\d:\d\d:\d\d UTC \d{4}$/;
/** Beyond this the oldest unanswered challenge is forgotten. */
const MAX_CHALLENGES = 10_000;

/** Signs people in: password, SRP, and the challenges on the way. Open challenges do not outlive the runtime. */
export class SignIn {
  readonly #kernel: Kernel;
  readonly #challenges = new Map<string, Challenge>();
  /** Makes the salt of a user who does not exist the same each time. */
  readonly #pretence = randomBytes(32);

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
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
    return this.requireUsable(members, user);
  }

  /** Throws NotAuthorizedException, UserNotConfirmedException or PasswordResetRequiredException. */
  requireUsable({ users }: Members, user: User): User {
    if (!user.enabled) throw notAuthorized('User is disabled.');
    if (user.status === 'UNCONFIRMED') throw new AwsError('UserNotConfirmedException', 'User is not confirmed.');
    if (user.status === 'RESET_REQUIRED') {
      throw new AwsError('PasswordResetRequiredException', 'Password reset required for the user');
    }
    if (user.temporaryUntil !== undefined && user.temporaryUntil <= this.#kernel.clock.now()) {
      throw notAuthorized('Temporary password has expired and must be reset by an administrator.');
    }
    return users.put({ ...user, failures: { count: 0, lockedUntil: 0 } });
  }

  /** What follows the right password. */
  proceed(members: Members, client: UserPoolClient, user: User): SignInResult {
    if (user.status !== 'FORCE_CHANGE_PASSWORD') return this.#tokens(members, client, user);
    const challenge = { kind: 'new-password', user, ...this.#limits(client) } as const;
    const required = members.pool.settings.schema.filter((each) => each.required && !user.attributes[each.name]);
    return {
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session: this.#remember(challenge),
      ChallengeParameters: {
        USER_ID_FOR_SRP: user.username,
        requiredAttributes: JSON.stringify(required.map(({ name }) => `userAttributes.${name}`)),
        userAttributes: JSON.stringify(user.attributes),
      },
    };
  }

  startSrp(members: Members, client: UserPoolClient, username: string, clientPublicKey: string): SignInResult {
    if (!isPublicKey(clientPublicKey)) throw invalidParameter('SRP_A is not a public value of the 3072-bit group');
    const user = this.#visible(members, client, username);
    if (user) requireNotLocked(user, this.#kernel.clock.now());
    const pretended = createHmac('sha256', this.#pretence).update(username).digest('hex');
    const { salt, verifier } = user?.password ?? { salt: pretended.slice(0, 32), verifier: pretended };
    const server = makeServerKeys(verifier);
    const challenge = { kind: 'srp', user, clientPublicKey, server, ...this.#limits(client) } as const;
    return {
      ChallengeName: 'PASSWORD_VERIFIER',
      ChallengeParameters: {
        SALT: salt,
        SECRET_BLOCK: this.#remember(challenge),
        SRP_B: server.publicKey,
        USERNAME: user?.username ?? username,
        USER_ID_FOR_SRP: user?.username ?? username,
      },
    };
  }

  /** Answers PASSWORD_VERIFIER. Throws NotAuthorizedException. */
  verifySrp(members: Members, client: UserPoolClient, given: Parameters): SignInResult {
    const { PASSWORD_CLAIM_SECRET_BLOCK: secretBlock = '', TIMESTAMP: timestamp = '' } = given;
    const challenge = this.#take(secretBlock, client);
    if (challenge?.kind !== 'srp') throw wrongPassword();
    if (!TIMESTAMP.test(timestamp))
      throw invalidParameter('TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.');
    const user = challenge.user && members.users.bySub(challenge.user.sub);
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
    return this.proceed(members, client, this.requireUsable(members, user));
  }

  /** Answers NEW_PASSWORD_REQUIRED. Throws NotAuthorizedException, InvalidPasswordException. */
  setNewPassword(
    members: Members,
    client: UserPoolClient,
    session: string,
    password: string,
    attributes: Readonly<Record<string, string>>,
  ): SignInResult {
    const challenge = this.#challenges.get(session);
    // A password against the policy may be followed by a better one.
    requirePassword(members.pool.settings.passwordPolicy, password);
    const taken = this.#take(session, client);
    const user = challenge?.user && members.users.bySub(challenge.user.sub);
    if (taken?.kind !== 'new-password' || user?.status !== 'FORCE_CHANGE_PASSWORD') {
      throw notAuthorized('Invalid session for the user, session is expired.');
    }
    return this.#tokens(members, client, this.changePassword(members, user, password, attributes));
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

  /** A session with its first tokens. */
  #tokens(members: Members, client: UserPoolClient, user: User): SignInResult {
    const { session, refreshToken } = members.sessions.open(user, client, [API_SCOPE]);
    const active = this.countActive(members, user);
    const tokens = issueTokens(this.#kernel, members, client, active, session);
    return { AuthenticationResult: { ...tokens, RefreshToken: refreshToken }, ChallengeParameters: {} };
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

  #limits(client: UserPoolClient): { readonly clientId: string; readonly expiresAt: number } {
    return { clientId: client.id, expiresAt: this.#kernel.clock.now() + client.settings.authSessionSeconds * 1000 };
  }

  #remember(challenge: Challenge): string {
    const key = randomBytes(96).toString('base64');
    for (const oldest of this.#challenges.keys()) {
      if (this.#challenges.size < MAX_CHALLENGES) break;
      this.#challenges.delete(oldest);
    }
    this.#challenges.set(key, challenge);
    return key;
  }

  /** A challenge is answered once. */
  #take(key: string, client: UserPoolClient): Challenge | undefined {
    const challenge = this.#challenges.get(key);
    if (challenge?.clientId !== client.id) return undefined;
    this.#challenges.delete(key);
    return challenge.expiresAt > this.#kernel.clock.now() ? challenge : undefined;
  }
}
