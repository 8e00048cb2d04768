import type { WireResponse } from '../../../kernel/wire.ts';
import { authenticateClient } from './client-authentication.ts';
import type { PoolRequest } from './managed-login.ts';
import { invalidRequest, OAuthError } from './oauth-error.ts';
import { formOf, json } from './responses.ts';

/**
 * `POST /oauth2/revoke`: ends a refresh token and the access tokens that came of it. A token that nobody knows is nothing to
 * revoke. https://docs.aws.amazon.com/cognito/latest/developerguide/revocation-endpoint.html
 *
 * @throws OAuthError invalid_request, invalid_client (401), unsupported_token_type for access and ID tokens
 */
export function revoke({ members: { pool, sessions }, request }: PoolRequest): WireResponse {
  const form = formOf(request);
  const client = authenticateClient(pool, request, form, 401);
  const { token } = form;
  if (!token) throw invalidRequest('Token is missing');
  if (!client.settings.tokenRevocation) throw invalidRequest('Token revocation is not enabled for this client');
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new OAuthError('unsupported_token_type');
  sessions.revoke(token, client);
  return { ...json(200, {}), body: '' };
}
