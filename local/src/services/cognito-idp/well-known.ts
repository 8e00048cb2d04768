import type { WireRequest, WireResponse } from '../../kernel/wire.ts';
import { ANY_ORIGIN } from '../public-requests.ts';
import { publicKeys } from './tokens.ts';
import { issuerOf, type UserPools } from './user-pools.ts';

/**
 * `/<poolId>/.well-known/jwks.json` and `/openid-configuration` on the AWS endpoint. Tokens carry the issuer that they have
 * on AWS; who verifies them here takes the keys from this address. Undefined for every other request.
 */
export function wellKnown(pools: UserPools, { method, path }: WireRequest): WireResponse | undefined {
  const [, id = '', document] =
    /^\/([\w-]+_[A-Za-z0-9]+)\/\.well-known\/(jwks\.json|openid-configuration)$/.exec(path) ?? [];
  if (method !== 'GET' || document === undefined) return undefined;
  const pool = pools.find(id)?.pool;
  if (!pool) return json(404, { message: `User pool ${id} does not exist.` });
  if (document === 'jwks.json') return json(200, publicKeys(pool));
  const { endpoint } = pools.kernel;
  return json(200, {
    authorization_endpoint: `${endpoint}/oauth2/authorize`,
    end_session_endpoint: `${endpoint}/logout`,
    id_token_signing_alg_values_supported: ['RS256'],
    issuer: issuerOf(pools.kernel, pool),
    jwks_uri: `${endpoint}/${pool.id}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    revocation_endpoint: `${endpoint}/oauth2/revoke`,
    scopes_supported: ['openid', 'email', 'phone', 'profile'],
    subject_types_supported: ['public'],
    token_endpoint: `${endpoint}/oauth2/token`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    userinfo_endpoint: `${endpoint}/oauth2/userInfo`,
  });
}

function json(status: number, body: object): WireResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=86400', ...ANY_ORIGIN },
    body: JSON.stringify(body),
  };
}
