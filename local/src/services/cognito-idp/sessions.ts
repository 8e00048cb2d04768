import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { notAuthorized } from './errors.ts';
import type { Session, User, UserPoolClient } from './user-pool.ts';

/** Access tokens live at most a day; so long a session is remembered after its end. */
const REMEMBERED_MS = 86_400_000;
const SWEEP_EVERY = 256;
/** A refresh token begins with the id of its session, without the hyphens. */
const ID = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})/;

/** Who has signed in to a pool: what refresh tokens stand for, and what is revoked. */
export class Sessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();
  #opened = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get all(): Iterable<Session> {
    return this.#sessions.values();
  }

  put(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  /** Begins a session; gives its refresh token, which is kept only as a hash. Those of the hosted pages have a version. */
  open(
    user: User,
    client: UserPoolClient,
    { scopes, ...more }: Pick<Session, 'scopes' | 'version'> & Partial<Pick<Session, 'authTime'>>,
  ): { readonly session: Session; readonly refreshToken: string } {
    this.#sweep();
    const now = this.#clock.now();
    const id = randomUUID();
    const refreshToken = `${id.replaceAll('-', '')}${randomBytes(48).toString('hex')}`;
    const session: Session = {
      id,
      sub: user.sub,
      clientId: client.id,
      authTime: Math.floor(now / 1000),
      expiresAt: now + client.settings.refreshTokenSeconds * 1000,
      refreshTokenHash: hash(refreshToken),
      scopes,
      revoked: false,
      ...more,
    };
    this.put(session);
    return { session, refreshToken };
  }

  /**
   * The session of a refresh token of this client.
   *
   * @throws AwsError NotAuthorizedException Invalid Refresh Token, Refresh Token has expired, Refresh Token has been revoked
   */
  ofRefreshToken(refreshToken: string, client: UserPoolClient): Session {
    const session = this.#byToken(refreshToken);
    if (session?.clientId !== client.id) throw notAuthorized('Invalid Refresh Token');
    if (session.revoked) throw notAuthorized('Refresh Token has been revoked');
    if (session.expiresAt <= this.#clock.now()) throw notAuthorized('Refresh Token has expired');
    return session;
  }

  /** True for a session that was ended, and for one that is forgotten, whose tokens have all expired. */
  isRevoked(id: string): boolean {
    return this.#sessions.get(id)?.revoked ?? true;
  }

  /** Ends the session of a refresh token of this client; an unknown token is nothing to revoke. */
  revoke(refreshToken: string, client: UserPoolClient): void {
    const session = this.#byToken(refreshToken);
    if (session?.clientId === client.id) this.put({ ...session, revoked: true });
  }

  /** Ends every session of a user. */
  revokeAll({ sub }: User): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.sub === sub && !session.revoked) this.put({ ...session, revoked: true });
    }
  }

  #byToken(refreshToken: string): Session | undefined {
    const [, ...parts] = ID.exec(refreshToken) ?? [];
    const session = this.#sessions.get(parts.join('-'));
    if (!session) return undefined;
    return timingSafeEqual(Buffer.from(hash(refreshToken)), Buffer.from(session.refreshTokenHash))
      ? session
      : undefined;
  }

  #sweep(): void {
    this.#opened += 1;
    if (this.#opened % SWEEP_EVERY !== 0) return;
    const limit = this.#clock.now() - REMEMBERED_MS;
    for (const { id, expiresAt } of [...this.#sessions.values()]) if (expiresAt < limit) this.#sessions.delete(id);
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
