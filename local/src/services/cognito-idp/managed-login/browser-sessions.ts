import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../../kernel/clock.ts';
import { sameText } from '../client-access.ts';

/** "The browser session cookie … is valid for one hour" (cognito-user-pools-managed-login). */
const LIFETIME_SECONDS = 3600;
/** Beyond this the oldest session is forgotten. */
const MAX_SESSIONS = 10_000;

export interface BrowserSession {
  readonly poolId: string;
  readonly sub: string;
  /** When the user signed in, epoch seconds: `auth_time` of all tokens that come of it. */
  readonly authTime: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Cookies of one path: that of a domain. */
interface Cookies {
  readonly [name: string]: string;
}

/** Who has signed in with which browser. Sessions are kept by the hash of their cookie, and do not outlive the runtime. */
export class BrowserSessions {
  readonly #clock: Clock;
  readonly #secure: string;
  readonly #sessions = new Map<string, BrowserSession>();
  readonly #csrfKey = randomBytes(32);

  /** `isHttps`: whether browsers may be told to send the cookies over HTTPS only. */
  constructor(clock: Clock, isHttps: boolean) {
    this.#clock = clock;
    this.#secure = isHttps ? '; Secure' : '';
  }

  /** Begins a session; gives the cookie, which is HttpOnly. */
  open(path: string, poolId: string, sub: string): { readonly session: BrowserSession; readonly cookie: string } {
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size < MAX_SESSIONS) break;
      this.#sessions.delete(oldest);
    }
    const now = this.#clock.now();
    const id = randomBytes(32).toString('base64url');
    const session = { poolId, sub, authTime: Math.floor(now / 1000), expiresAt: now + LIFETIME_SECONDS * 1000 };
    this.#sessions.set(hash(id), session);
    return { session, cookie: this.#cookie('cognito', id, path, LIFETIME_SECONDS) };
  }

  /** The session of a browser in a pool, while it lasts. */
  find(cookies: Cookies, poolId: string): BrowserSession | undefined {
    const session = this.#sessions.get(hash(cookies.cognito ?? ''));
    return session?.poolId === poolId && session.expiresAt > this.#clock.now() ? session : undefined;
  }

  /** Ends the session of a browser; gives the cookie that takes its cookie away. */
  close(cookies: Cookies, path: string): string {
    this.#sessions.delete(hash(cookies.cognito ?? ''));
    return this.#cookie('cognito', '', path, 0);
  }

  /** The hidden value of a form, which only this browser can send: it goes with a cookie that other sites cannot read. */
  csrf(cookies: Cookies, path: string): { readonly token: string; readonly cookie: string } {
    const known = cookies['XSRF-TOKEN'] ?? '';
    const id = /^[\w-]{22}$/.test(known) ? known : randomBytes(16).toString('base64url');
    return { token: this.#tokenFor(id, path), cookie: this.#cookie('XSRF-TOKEN', id, path, LIFETIME_SECONDS) };
  }

  /** Whether a form was sent from the page that this browser was given. */
  isOwnForm(cookies: Cookies, path: string, token: string): boolean {
    const id = cookies['XSRF-TOKEN'];
    return id !== undefined && id !== '' && sameText(token, this.#tokenFor(id, path));
  }

  #tokenFor(id: string, path: string): string {
    return createHmac('sha256', this.#csrfKey).update(`${path} ${id}`).digest('base64url');
  }

  #cookie(name: string, value: string, path: string, maxAge: number): string {
    return `${name}=${value}; Path=${path}; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${this.#secure}`;
  }
}

/** The cookies of a request. */
export function cookiesOf({ headers }: { readonly headers: Readonly<Record<string, string>> }): Cookies {
  const pairs = (headers.cookie ?? '').split(/[;,]/).map((each) => each.trim().split('='));
  return Object.fromEntries(pairs.map(([name = '', ...value]) => [name, value.join('=')]));
}

function hash(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
