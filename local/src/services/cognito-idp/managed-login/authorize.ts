import type { WireResponse } from '../../../kernel/wire.ts';
import { type AuthorizationRequest, readAuthorizationRequest } from './authorization-request.ts';
import { type BrowserSession, cookiesOf } from './browser-sessions.ts';
import type { ManagedLogin, PoolRequest } from './managed-login.ts';
import { redirect, withQuery } from './responses.ts';

/**
 * `GET /oauth2/authorize`: whoever has signed in with this browser goes back to the app with a code; everybody else to the
 * sign-in page. https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
 */
export function authorize(login: ManagedLogin, { members, request, basePath }: PoolRequest): WireResponse {
  const asked = readAuthorizationRequest(members.pool, request.query);
  if ('refusal' in asked) return asked.refusal;
  const { redirectUri, state, prompt } = asked;
  const session = prompt.includes('login') ? undefined : login.browsers.find(cookiesOf(request), members.pool.id);
  const user = session && members.users.bySub(session.sub);
  if (session && user?.enabled && user.status === 'CONFIRMED') return goBack(login, asked, session);
  if (prompt.includes('none')) return redirect(withQuery(redirectUri, { error: 'login_required', state }));
  return redirect(`${basePath}/login?${request.query}`);
}

/** Back to the app, with a code. */
export function goBack(
  { codes }: ManagedLogin,
  asked: AuthorizationRequest,
  { sub, authTime }: BrowserSession,
  cookie?: string,
): WireResponse {
  const { client, redirectUri, scopes, state, nonce, codeChallenge } = asked;
  const code = codes.add({ clientId: client.id, redirectUri, sub, scopes, authTime, nonce, codeChallenge });
  return redirect(withQuery(redirectUri, { code, state }), cookie);
}
