import { AwsError } from '../../../kernel/errors.ts';
import type { WireResponse } from '../../../kernel/wire.ts';
import { allowsFlow } from '../client-access.ts';
import { issueTokens } from '../tokens.ts';
import type { Session, User, UserPoolClient } from '../user-pool.ts';
import { isVerifierOf } from './authorization-codes.ts';
import { authenticateClient } from './client-authentication.ts';
import type { ManagedLogin, PoolRequest } from './managed-login.ts';
import { invalidRequest, OAuthError } from './oauth-error.ts';
import { formOf, json } from './responses.ts';

type Form = Readonly<Record<string, string>>;

/**
 * `POST /oauth2/token`: tokens for an authorization code or for a refresh token
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html).
 *
 * @throws OAuthError with the codes of that page
 */
export function token(login: ManagedLogin, where: PoolRequest): WireResponse {
  const form = formOf(where.request);
  const client = authenticateClient(where.members.pool, where.request, form);
  switch (form.grant_type) {
    case undefined:
      throw invalidRequest('grant_type is missing');
    case 'authorization_code':
      return forCode(login, where, client, form);
    case 'refresh_token':
      return forRefreshToken(login, where, client, form);
    default:
      throw new OAuthError('unsupported_grant_type');
  }
}

function forCode(login: ManagedLogin, { members }: PoolRequest, client: UserPoolClient, form: Form): WireResponse {
  const { settings } = client;
  const code = needed(form, 'code');
  const redirectUri = needed(form, 'redirect_uri');
  // What people meet who leave the last slash out; RFC 6749 has no code for it.
  const isRegistered = settings.callbackUrls.includes(redirectUri);
  if (!settings.oauthEnabled || !settings.oauthFlows.includes('code') || !isRegistered) {
    throw new OAuthError('unauthorized_client');
  }
  const grant = login.codes.take(code);
  const isRight = grant?.clientId === client.id && grant.redirectUri === redirectUri;
  if (!isRight || !isProven(grant.codeChallenge, form.code_verifier)) throw new OAuthError('invalid_grant');
  const user = usable(login, members.users.bySub(grant.sub));
  const { scopes, authTime, nonce } = grant;
  const { session, refreshToken } = members.sessions.open(user, client, { scopes, authTime, version: 2 });
  return answer(login, members, client, user, session, { refreshToken, nonce });
}

/** A code that was asked for with a challenge is for who knows its verifier; one without takes no verifier. */
function isProven(challenge: string | undefined, verifier: string | undefined): boolean {
  if (challenge === undefined) return verifier === undefined;
  return verifier !== undefined && isVerifierOf(challenge, verifier);
}

function forRefreshToken(
  login: ManagedLogin,
  { members }: PoolRequest,
  client: UserPoolClient,
  form: Form,
): WireResponse {
  const refreshToken = needed(form, 'refresh_token');
  if (!allowsFlow(client, 'REFRESH_TOKEN_AUTH')) throw new OAuthError('unauthorized_client');
  const session = granted(() => members.sessions.ofRefreshToken(refreshToken, client));
  return answer(login, members, client, usable(login, members.users.bySub(session.sub)), session, {});
}

function answer(
  { kernel, signIn }: ManagedLogin,
  members: PoolRequest['members'],
  client: UserPoolClient,
  user: User,
  session: Session,
  { refreshToken, nonce }: { readonly refreshToken?: string; readonly nonce?: string | undefined },
): WireResponse {
  const active = signIn.countActive(members, user);
  const { IdToken, AccessToken, ExpiresIn, TokenType } = issueTokens(kernel, members, client, active, session, nonce);
  // "An ID token is only returned if openid scope is requested." Sessions of the API have no such scope, and get one.
  const hasIdToken = session.version === undefined || session.scopes.includes('openid');
  return json(200, {
    ...(hasIdToken && { id_token: IdToken }),
    access_token: AccessToken,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    expires_in: ExpiresIn,
    token_type: TokenType,
  });
}

function usable({ signIn }: ManagedLogin, user: User | undefined): User {
  if (!user) throw new OAuthError('invalid_grant');
  return granted(() => signIn.requireUsable(user));
}

/** What the API refuses with an exception is `invalid_grant` here. */
function granted<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof AwsError) throw new OAuthError('invalid_grant', error.message);
    throw error;
  }
}

function needed(form: Form, name: string): string {
  const value = form[name];
  if (value === undefined || value === '') throw invalidRequest(`${name} is missing`);
  return value;
}
