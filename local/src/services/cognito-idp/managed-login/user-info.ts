import { AwsError } from '../../../kernel/errors.ts';
import type { WireResponse } from '../../../kernel/wire.ts';
import { attributesFor } from '../claims.ts';
import { type Bearer, bearerOf } from '../tokens.ts';
import type { ManagedLogin, PoolRequest } from './managed-login.ts';
import { OAuthError } from './oauth-error.ts';
import { errorJson, json } from './responses.ts';

const NOT_VALID = 'Access token is expired, disabled, or deleted, or the user has globally signed out.';

/**
 * `GET /oauth2/userInfo`: the attributes that the scopes of an access token let through. Values are text, also of
 * `email_verified`. https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html
 */
export function userInfo({ pools }: ManagedLogin, { members, request }: PoolRequest): WireResponse {
  const [, accessToken] = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (accessToken === undefined) {
    return challenge(new OAuthError('invalid_request', 'Bad OAuth2 request at UserInfo Endpoint'));
  }
  let bearer: Bearer;
  try {
    bearer = bearerOf(pools, accessToken);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return challenge(new OAuthError('invalid_token', NOT_VALID, 401));
  }
  const scopes = String(bearer.claims.scope).split(' ');
  const client = bearer.pool.clients.get(String(bearer.claims.client_id));
  if (!client || bearer.pool.id !== members.pool.id) return challenge(new OAuthError('invalid_token', NOT_VALID, 401));
  if (!scopes.includes('openid')) {
    return challenge(new OAuthError('invalid_token', 'Access token does not contain openid scope', 401));
  }
  const { user } = bearer;
  return json(200, { sub: user.sub, ...attributesFor(user, client, scopes), username: user.username });
}

function challenge(error: OAuthError): WireResponse {
  const { headers, ...rest } = errorJson(error);
  const text = `error="${error.code}", error_description="${error.description ?? ''}"`;
  return { ...rest, headers: { ...headers, 'www-authenticate': error.status === 401 ? `Bearer ${text}` : text } };
}
