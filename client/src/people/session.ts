import type { Tokens, UserPool } from './user-pool.ts';

/** Tokens are not used in the last seconds of their life: a request takes a while. */
const MARGIN_SECONDS = 30;

export interface SessionOptions {
  readonly pool: Pick<UserPool, 'refresh'>;
  readonly tokens: Tokens;
  /** Told of new tokens, to keep them. Awaited before they are used. */
  readonly changed?: (tokens: Tokens) => Promise<void> | void;
}

export interface Session {
  /** What `createClient` wants as `token`: one that is good now, or with the one that was rejected another. */
  readonly accessToken: (rejected?: string) => Promise<string>;
  /** For the identity pool, and for `PUT /me/identity`. */
  readonly idToken: () => Promise<string>;
}

/** A sign-in that lasts: asks for new tokens when the old ones are over, once at a time. Rejects as `pool.refresh` does. */
export function createSession({ pool, tokens: given, changed }: SessionOptions): Session {
  let tokens = given;
  let refreshing: Promise<Tokens> | undefined;

  async function refresh(): Promise<Tokens> {
    const next = await pool.refresh(tokens);
    await changed?.(next);
    tokens = next;
    return next;
  }
  function renewed(): Promise<Tokens> {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  return {
    accessToken: async (rejected) =>
      rejected === tokens.access || isOver(tokens.access) ? (await renewed()).access : tokens.access,
    idToken: async () => (isOver(tokens.id) ? (await renewed()).id : tokens.id),
  };
}

/** By its own claim: whoever takes the token decides. */
function isOver(token: string): boolean {
  const [, payload = ''] = token.split('.');
  try {
    const { exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof exp === 'number' && exp - MARGIN_SECONDS <= Date.now() / 1000;
  } catch {
    // What it is, nobody can read here.
    return false;
  }
}
