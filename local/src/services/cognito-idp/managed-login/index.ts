/** The endpoints of a user pool's domain: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-userpools-server-contract-reference.html */
import type { WireRequest, WireResponse } from '../../../kernel/wire.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { AuthorizationCodes } from './authorization-codes.ts';
import { authorize } from './authorize.ts';
import { BrowserSessions } from './browser-sessions.ts';
import { basePathOf, splitDomain } from './domain.ts';
import { showLogin, takeLogin } from './login.ts';
import { logout } from './logout.ts';
import type { ManagedLogin, PoolRequest } from './managed-login.ts';
import { OAuthError } from './oauth-error.ts';
import { errorPage } from './pages.ts';
import { errorJson, preflight } from './responses.ts';
import { revoke } from './revoke.ts';
import { token } from './token.ts';
import { userInfo } from './user-info.ts';

type Endpoint = (login: ManagedLogin, where: PoolRequest) => WireResponse;

/** Endpoint -> method -> what answers. */
const ENDPOINTS: Readonly<Record<string, Readonly<Record<string, Endpoint>>>> = {
  '/oauth2/authorize': { GET: authorize },
  '/login': { GET: showLogin, POST: takeLogin },
  '/logout': { GET: logout },
  '/oauth2/token': { POST: token },
  '/oauth2/userInfo': { GET: userInfo },
  '/oauth2/revoke': { POST: (_login, where) => revoke(where) },
};
/** What web pages call themselves. */
const FROM_PAGES = new Set(['/oauth2/token', '/oauth2/userInfo', '/oauth2/revoke']);

/** Answers requests below the path of a domain; undefined for all others. */
export function managedLogin(cognito: CognitoUsers): (request: WireRequest) => WireResponse | undefined {
  const { kernel, pools } = cognito;
  const login: ManagedLogin = {
    ...cognito,
    browsers: new BrowserSessions(kernel.clock, kernel.endpoint.startsWith('https:')),
    codes: new AuthorizationCodes(kernel.clock),
  };
  return (request) => {
    const { domain, endpoint = '' } = splitDomain(kernel, request.path) ?? {};
    if (domain === undefined) return undefined;
    const members = pools.all.find(({ pool }) => pool.domain === domain);
    const basePath = members && basePathOf(kernel, members.pool);
    if (!members || basePath === undefined) return errorPage('There is no user pool with this domain.', 404);
    const methods = ENDPOINTS[endpoint];
    if (!methods) return errorPage('There is no such page.', 404);
    const asked = FROM_PAGES.has(endpoint) ? preflight(request) : undefined;
    if (asked) return asked;
    const answer = methods[request.method];
    if (!answer) return errorJson(new OAuthError('invalid_request', `${request.method} is not for this endpoint`, 405));
    try {
      return answer(login, { members, request, basePath });
    } catch (error) {
      if (error instanceof OAuthError) return errorJson(error);
      throw error;
    }
  };
}
