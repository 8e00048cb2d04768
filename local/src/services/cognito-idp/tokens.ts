import { createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import type { Kernel } from '../../kernel/kernel.ts';
import { attributesFor, groupClaims } from './claims.ts';
import { notAuthorized, required } from './errors.ts';
import type { Session, SigningKey, User, UserPool, UserPoolClient } from './user-pool.ts';
import { issuerOf, type Members, type UserPools } from './user-pools.ts';

/** The claims of a token; https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html */
export type Claims = Readonly<Record<string, unknown>> & {
  readonly iss: string;
  readonly sub: string;
  readonly exp: number;
  readonly token_use: string;
};

export interface Tokens {
  readonly AccessToken: string;
  readonly IdToken: string;
  /** Seconds that the access token lives. */
  readonly ExpiresIn: number;
  readonly TokenType: 'Bearer';
}

/** The scope of tokens that come from the API: its owner may use the operations for users. */
export const API_SCOPE = 'aws.cognito.signin.user.admin';

interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const parsed = new WeakMap<SigningKey, Keys>();

function keysOf({ signingKey }: UserPool): Keys {
  let keys = parsed.get(signingKey);
  if (!keys) {
    const privateKey = createPrivateKey(signingKey.privateKey);
    keys = { privateKey, publicKey: createPublicKey(privateKey) };
    parsed.set(signingKey, keys);
  }
  return keys;
}

/** The public key of a pool, as `/.well-known/jwks.json` has it. */
export function publicKeys(pool: UserPool): object {
  const { kty, n, e } = keysOf(pool).publicKey.export({ format: 'jwk' });
  return { keys: [{ alg: 'RS256', e, kid: pool.signingKey.kid, kty, n, use: 'sig' }] };
}

/** The ID and access token of a session, for as long as the client has them live. */
export function issueTokens(
  kernel: Kernel,
  { pool }: Members,
  client: UserPoolClient,
  user: User,
  session: Session,
  nonce?: string,
): Tokens {
  const now = Math.floor(kernel.clock.now() / 1000);
  const { accessTokenSeconds, idTokenSeconds } = client.settings;
  const groups = groupClaims(pool, user);
  const common = {
    sub: user.sub,
    iss: issuerOf(kernel, pool),
    origin_jti: session.id,
    event_id: randomUUID(),
    auth_time: session.authTime,
    iat: now,
  };
  const attributes = Object.entries(attributesFor(user, client, session.scopes)).map(
    ([name, value]) => [name, name.endsWith('_verified') ? value === 'true' : value] as const,
  );
  const access = {
    ...common,
    ...(user.groups.length > 0 && { 'cognito:groups': groups['cognito:groups'] }),
    client_id: client.id,
    ...(session.version !== undefined && { version: session.version }),
    token_use: 'access',
    scope: session.scopes.join(' '),
    exp: now + accessTokenSeconds,
    jti: randomUUID(),
    username: user.username,
  };
  const id = {
    ...Object.fromEntries(attributes),
    ...common,
    ...groups,
    'cognito:username': user.username,
    aud: client.id,
    token_use: 'id',
    ...(nonce !== undefined && { nonce }),
    exp: now + idTokenSeconds,
    jti: randomUUID(),
  };
  return {
    AccessToken: signToken(pool, access),
    IdToken: signToken(pool, id),
    ExpiresIn: accessTokenSeconds,
    TokenType: 'Bearer',
  };
}

/** Whose access token this is. */
export interface Bearer extends Members {
  readonly user: User;
  readonly claims: Claims;
  readonly sessionId: string;
}

/**
 * Verifies the access token of a user.
 *
 * @throws AwsError NotAuthorizedException Invalid Access Token, Access Token has expired, Access Token has been revoked
 */
export function bearerOf(pools: UserPools, token: string): Bearer {
  const claims = verifyToken(pools, token, 'access', 'Access Token');
  const members = pools.get(poolIdOf(claims.iss));
  const sessionId = String(claims.origin_jti);
  const user = members.users.bySub(claims.sub);
  if (!user || !members.pool.clients.has(String(claims.client_id))) throw notAuthorized('Invalid Access Token');
  if (members.sessions.isRevoked(sessionId)) throw notAuthorized('Access Token has been revoked');
  if (!user.enabled) throw notAuthorized('User is disabled.');
  return { ...members, user, claims, sessionId };
}

/** The same, for the operations of people on their own account, which need the scope for it. */
export function ownerOf(pools: UserPools, token: string | undefined): Bearer {
  const found = bearerOf(pools, required(token, 'AccessToken'));
  const scopes = String(found.claims.scope).split(' ');
  if (!scopes.includes(API_SCOPE)) throw notAuthorized('Access Token does not have required scopes');
  return found;
}

/**
 * Verifies signature, issuer, use and time of a token of one of the pools.
 *
 * @throws AwsError NotAuthorizedException Invalid <what>, <what> has expired
 */
export function verifyToken(pools: UserPools, token: string, use: 'access' | 'id', what: string): Claims {
  const claims = readClaims(token);
  const pool = claims && pools.find(poolIdOf(claims.iss))?.pool;
  const [header = '', payload = '', signature = ''] = token.split('.');
  const isRightPool = pool && claims.iss === issuerOf(pools.kernel, pool);
  if (!isRightPool || claims.token_use !== use || !isSigned(pool, `${header}.${payload}`, signature)) {
    throw notAuthorized(`Invalid ${what}`);
  }
  if (claims.exp * 1000 <= pools.kernel.clock.now()) throw notAuthorized(`${what} has expired`);
  return claims;
}

function poolIdOf(issuer: string): string {
  return issuer.slice(issuer.lastIndexOf('/') + 1);
}

/** Without looking at the signature. */
function readClaims(token: string): Claims | undefined {
  const [, payload = '', , more] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const { iss, sub, exp } = Object(claims) as Record<string, unknown>;
    const complete = typeof iss === 'string' && typeof sub === 'string' && typeof exp === 'number';
    return complete && more === undefined ? (claims as Claims) : undefined;
  } catch {
    return undefined;
  }
}

function isSigned(pool: UserPool, text: string, signature: string): boolean {
  const [header = ''] = text.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  // What the header says is not believed: there is one key and one algorithm.
  return header === headerOf(pool) && verify('RSA-SHA256', Buffer.from(text), keysOf(pool).publicKey, bytes);
}

function signToken(pool: UserPool, claims: object): string {
  const text = `${headerOf(pool)}.${encode(claims)}`;
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), keysOf(pool).privateKey).toString('base64url')}`;
}

function headerOf({ signingKey }: UserPool): string {
  return encode({ kid: signingKey.kid, alg: 'RS256' });
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
