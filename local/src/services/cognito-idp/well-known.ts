import type { WireRequest, WireResponse } from '../../kernel/wire.ts';
import { ANY_ORIGIN } from '../public-requests.ts';
import { basePathOf } from './managed-login/domain.ts';
import { publicKeys } from './tokens.ts';
import { issuerOf, type UserPools } from './user-pools.ts';

/**
 * `/<poolId>/.well-known/jwks.json` and `/openid-configuration` on the AWS endpoint. Tokens carry the issuer that they have
 * on AWS; who verifies them here takes the keys from this address.
 * A pool without a domain has no endpoints for OAuth. Undefined for every other request.
 */
export function wellKnown(pools: UserPools, { method, path }: WireRequest): WireResponse | undefined {
  const [, id = '', document] =
    /^\/([\w-]+_[A-Za-z0-9]+)\/\.well-known\/(jwks\.json|openid-configuration)$/.exec(path) ?? [];
  if (method !== 'GET' || document === undefined) return undefined;
  const pool = pools.find(id)?.pool;
  if (!pool) return json(404, { message: `User pool ${id} does not exist.` });
  if (document === 'jwks.json') return json(200, publicKeys(pool));
  const { endpoint } = pools.kernel;
  const basePath = basePathOf(pools.kernel, pool);
  const base = `${endpoint}${basePath}`;
  return json(200, {
    ...(basePath !== undefined && {
      authorization_endpoint: `${base}/oauth2/authorize`,
      end_session_endpoint: `${base}/logout`,
      revocation_endpoint: `${base}/oauth2/revoke`,
      token_endpoint: `${base}/oauth2/token`,
      userinfo_endpoint: `${base}/oauth2/userInfo`,
    }),
    code_challenge_methods_supported: ['S256'],
    id_token_signing_alg_values_supported: ['RS256'],
    issuer: issuerOf(pools.kernel, pool),
    jwks_uri: `${endpoint}/${pool.id}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    scopes_supported: ['openid', 'email', 'phone', 'profile'],
    subject_types_supported: ['public'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  });
}

function json(status: number, body: object): WireResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=86400', ...ANY_ORIGIN },
    body: JSON.stringify(body),
  };
}
