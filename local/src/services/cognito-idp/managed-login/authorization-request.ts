import type { WireResponse } from '../../../kernel/wire.ts';
import type { UserPool, UserPoolClient } from '../user-pool.ts';
import { errorPage } from './pages.ts';
import { redirect, withQuery } from './responses.ts';

/** What an app asks for at `/oauth2/authorize` and, with the same parameters, at `/login`. */
export interface AuthorizationRequest {
  readonly client: UserPoolClient;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly prompt: readonly string[];
  readonly loginHint: string | undefined;
}

/** Scopes that need `openid` beside them (authorization-endpoint, scope). */
const OF_OPENID = ['email', 'phone', 'profile'];

/**
 * Reads an authorization request. What is wrong with it is told to the app by a redirect with `error`, but only when the
 * redirect URI is one of the client's, to the letter; otherwise on a page. Gives that response then.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
 */
export function readAuthorizationRequest(
  pool: UserPool,
  query: URLSearchParams,
): AuthorizationRequest | { readonly refusal: WireResponse } {
  const client = pool.clients.get(query.get('client_id') ?? '');
  if (!client) return { refusal: errorPage('Client does not exist: client_id is missing or unknown.') };
  const { settings } = client;
  const redirectUri = query.get('redirect_uri') ?? settings.defaultRedirectUri;
  if (redirectUri === undefined || query.getAll('redirect_uri').length > 1 || query.getAll('client_id').length > 1) {
    return { refusal: errorPage('invalid_request: client_id and redirect_uri are given once.') };
  }
  if (!settings.callbackUrls.includes(redirectUri)) {
    return { refusal: errorPage('redirect_mismatch: redirect_uri is not one of the callback URLs of the client.') };
  }
  const state = query.get('state') ?? undefined;
  const refuse = (error: string, error_description?: string) => ({
    refusal: redirect(withQuery(redirectUri, { error, error_description, state })),
  });

  const twice = [...query.keys()].find((name) => query.getAll(name).length > 1);
  if (twice !== undefined) return refuse('invalid_request', `${twice} is given more than once`);
  const responseType = query.get('response_type');
  if (responseType === null) return refuse('invalid_request', 'response_type is missing');
  if (responseType !== 'code' && responseType !== 'token') return refuse('unsupported_response_type');
  const isAllowed = settings.oauthEnabled && responseType === 'code' && settings.oauthFlows.includes('code');
  if (!isAllowed) return refuse('unauthorized_client');
  const provider = query.get('identity_provider') ?? 'COGNITO';
  if (provider !== 'COGNITO' || query.has('idp_identifier')) {
    return refuse('invalid_request', 'There is no such identity provider');
  }
  if (!settings.identityProviders.includes('COGNITO')) {
    return refuse('unauthorized_client', 'Login pages unavailable: SupportedIdentityProviders has no COGNITO');
  }

  const codeChallenge = query.get('code_challenge') ?? undefined;
  const method = query.get('code_challenge_method') ?? undefined;
  if ((codeChallenge === undefined) !== (method === undefined)) {
    return refuse('invalid_request', 'code_challenge and code_challenge_method go together');
  }
  if (method !== undefined && method !== 'S256') return refuse('invalid_request', 'code_challenge_method is S256');
  if (codeChallenge !== undefined && !/^[\w.~-]{43,128}$/.test(codeChallenge)) {
    return refuse('invalid_request', 'code_challenge is malformed');
  }

  const scopes = readScopes(settings.oauthScopes, query.get('scope'));
  if (!scopes) return refuse('invalid_scope');
  return {
    client,
    redirectUri,
    scopes,
    state,
    nonce: query.get('nonce') ?? undefined,
    codeChallenge,
    prompt: (query.get('prompt') ?? '').split(' ').filter((each) => each !== ''),
    loginHint: query.get('login_hint') ?? undefined,
  };
}

/** "If the client doesn't request any scopes, the authentication server uses all scopes associated with the client." */
function readScopes(allowed: readonly string[], given: string | null): readonly string[] | undefined {
  const asked = [...new Set((given ?? '').split(' ').filter((each) => each !== ''))];
  if (asked.length === 0) return allowed;
  const isGood = asked.every(
    (scope) => allowed.includes(scope) && (!OF_OPENID.includes(scope) || asked.includes('openid')),
  );
  return isGood ? asked : undefined;
}
