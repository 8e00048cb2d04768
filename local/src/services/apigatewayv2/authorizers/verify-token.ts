import { type KeyObject, verify } from 'node:crypto';
import type { JwtAuthorizer } from '../types.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A token that is not accepted; the message goes to the client as `error_description`. */
export class InvalidToken extends Error {}

export interface TokenOptions {
  readonly authorizer: JwtAuthorizer;
  /** The issuer's key with this id; undefined when it has none. Rejects when the issuer cannot be asked. */
  findKey(issuer: string, keyId: string): Promise<KeyObject | undefined>;
  /** Virtual time, epoch seconds. */
  readonly nowSeconds: number;
}

/** Only RSA signatures are taken. */
const HASHES: Readonly<Record<string, string>> = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512' };

/**
 * The claims of a token
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html): signature, iss, aud or
 * client_id, exp, nbf and iat are checked.
 *
 * @throws InvalidToken
 */
export async function verifyToken(token: string, options: TokenOptions): Promise<Claims> {
  const { issuer, audience } = options.authorizer.jwtConfiguration;
  const [header, payload, signature, ...more] = token.split('.');
  if (!header || !payload || !signature || more.length > 0) throw new InvalidToken('invalid number of segments');
  const { alg, kid } = parsed(header);
  const claims = parsed(payload);
  const hash = typeof alg === 'string' && Object.hasOwn(HASHES, alg) ? HASHES[alg] : undefined;
  if (hash === undefined) throw new InvalidToken('the token is not signed with an RSA algorithm');
  if (typeof kid !== 'string') throw new InvalidToken('the token does not name its key');
  if (claims.iss !== issuer) throw new InvalidToken('the token does not have a valid issuer');
  const key = await keyOf(options, issuer, kid);
  const isSigned = verify(hash, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'));
  if (!isSigned) throw new InvalidToken('the token does not have a valid signature');
  requireAudience(claims, audience);
  requireTime(claims, options.nowSeconds);
  return claims;
}

async function keyOf({ findKey }: TokenOptions, issuer: string, keyId: string): Promise<KeyObject> {
  let key: KeyObject | undefined;
  try {
    key = await findKey(issuer, keyId);
  } catch (cause) {
    throw new InvalidToken('OIDC discovery endpoint communication error', { cause });
  }
  if (!key) throw new InvalidToken('the token is signed with an unknown key');
  return key;
}

function parsed(segment: string): Claims {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Claims;
  } catch {
    // Refused below, like everything else that is no object.
  }
  throw new InvalidToken('the token is not a JSON web token');
}

/** `client_id` counts only where there is no `aud`: access tokens of Cognito. */
function requireAudience({ aud, client_id: clientId }: Claims, audience: readonly string[]): void {
  const given = aud === undefined ? [clientId] : [aud].flat();
  if (!given.some((each) => typeof each === 'string' && audience.includes(each))) {
    throw new InvalidToken('the token does not have a valid audience');
  }
}

function requireTime({ exp, nbf, iat }: Claims, now: number): void {
  if (typeof exp !== 'number') throw new InvalidToken('the token does not expire');
  if (exp <= now) throw new InvalidToken('the token has expired');
  for (const since of [nbf, iat]) {
    if (since !== undefined && !(typeof since === 'number' && since <= now)) {
      throw new InvalidToken('the token is not valid yet');
    }
  }
}
