import type { WireResponse } from '../../../kernel/wire.ts';
import { readAuthorizationRequest } from './authorization-request.ts';
import { cookiesOf } from './browser-sessions.ts';
import type { ManagedLogin, PoolRequest } from './managed-login.ts';
import { errorPage } from './pages.ts';
import { redirect } from './responses.ts';

/**
 * `GET /logout`: ends the session of the browser, not that of any token; then goes to `logout_uri`, which is one of the
 * client's, or to the sign-in page with the parameters of `/oauth2/authorize`.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
 */
export function logout({ browsers }: ManagedLogin, { members, request, basePath }: PoolRequest): WireResponse {
  const { query } = request;
  const client = members.pool.clients.get(query.get('client_id') ?? '');
  if (!client) return errorPage('Client does not exist: client_id is missing or unknown.');
  const logoutUri = query.get('logout_uri');
  if (logoutUri !== null && !client.settings.logoutUrls.includes(logoutUri)) {
    return errorPage('redirect_mismatch: logout_uri is not one of the sign-out URLs of the client.');
  }
  if (logoutUri === null) {
    const asked = readAuthorizationRequest(members.pool, query);
    if ('refusal' in asked) return asked.refusal;
  }
  return redirect(logoutUri ?? `${basePath}/login?${query}`, browsers.close(cookiesOf(request), basePath));
}
