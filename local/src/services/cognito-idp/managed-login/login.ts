import { AwsError } from '../../../kernel/errors.ts';
import type { WireResponse } from '../../../kernel/wire.ts';
import { readAttributes } from '../attributes.ts';
import type { SignInStep } from '../sign-in.ts';
import type { Members } from '../user-pools.ts';
import { type AuthorizationRequest, readAuthorizationRequest } from './authorization-request.ts';
import { goBack } from './authorize.ts';
import { cookiesOf } from './browser-sessions.ts';
import type { Html } from './html.ts';
import type { ManagedLogin, PoolRequest } from './managed-login.ts';
import { errorPage, field, form, page } from './pages.ts';
import { formOf } from './responses.ts';

type Form = Readonly<Record<string, string>>;

/** What a page asks for. */
interface Question {
  readonly title: string;
  readonly button: string;
  readonly fields: readonly Html[];
  readonly hidden?: Form;
}

/**
 * `GET /login`: the sign-in page, with the parameters of `/oauth2/authorize`
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/login-endpoint.html).
 */
export function showLogin(login: ManagedLogin, where: PoolRequest): WireResponse {
  const asked = readAuthorizationRequest(where.members.pool, where.request.query);
  if ('refusal' in asked) return asked.refusal;
  return ask(login, where, asked, passwordQuestion(where.members, asked.loginHint));
}

/** `POST /login`: a password, or the answer to a challenge that followed it. */
export function takeLogin(login: ManagedLogin, where: PoolRequest): WireResponse {
  const { members, request, basePath } = where;
  const asked = readAuthorizationRequest(members.pool, request.query);
  if ('refusal' in asked) return asked.refusal;
  const given = formOf(request);
  const site = request.headers['sec-fetch-site'] ?? 'same-origin';
  if (site !== 'same-origin' || !login.browsers.isOwnForm(cookiesOf(request), basePath, given._csrf ?? '')) {
    return errorPage('The form did not come from the sign-in page of this browser. Begin again in the app.', 403);
  }
  let step: SignInStep;
  try {
    step = answer(login, members, asked, given);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return ask(login, where, asked, questionAgain(members, given, error), error.message);
  }
  if (!('user' in step)) return ask(login, where, asked, challengeQuestion(step));
  const { session, cookie } = login.browsers.open(basePath, members.pool.id, step.user.sub);
  return goBack(login, asked, session, cookie);
}

function answer({ signIn }: ManagedLogin, members: Members, { client }: AuthorizationRequest, given: Form): SignInStep {
  const { challenge, session = '', username = '', password = '', code = '' } = given;
  if (challenge === 'SOFTWARE_TOKEN_MFA') return signIn.takeCode(members, client, session, code.trim());
  if (challenge === 'NEW_PASSWORD_REQUIRED') {
    const named = attributesIn(given).map((Name) => ({ Name, Value: given[`userAttributes.${Name}`] ?? '' }));
    const attributes = readAttributes(named, { settings: members.pool.settings, client, before: {} });
    return signIn.setNewPassword(members, client, session, password, attributes);
  }
  return signIn.proceed(members, client, signIn.checkPassword(members, client, username.trim(), password));
}

function ask(
  { browsers }: ManagedLogin,
  { request, basePath }: PoolRequest,
  { redirectUri }: AuthorizationRequest,
  { title, button, fields, hidden = {} }: Question,
  message?: string,
): WireResponse {
  const { token, cookie } = browsers.csrf(cookiesOf(request), basePath);
  const action = `${basePath}/login?${request.query}`;
  const content = form({ action, csrfToken: token, hidden, fields, button, message });
  return page(title, content, { status: message === undefined ? 200 : 400, cookie, leadsTo: redirectUri });
}

function passwordQuestion({ pool: { settings } }: Members, username?: string): Question {
  const [attribute] = settings.usernameAttributes;
  const isEmail = attribute === 'email' && settings.usernameAttributes.length === 1;
  const label = isEmail ? 'Email' : attribute === undefined ? 'Username' : 'Email or phone number';
  return {
    title: 'Sign in',
    button: 'Sign in',
    fields: [
      field({ name: 'username', label, type: isEmail ? 'email' : 'text', autocomplete: 'username', value: username }),
      field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' }),
    ],
  };
}

function challengeQuestion(step: Exclude<SignInStep, { readonly user: unknown }>): Question {
  const { ChallengeName: challenge, Session: session = '', ChallengeParameters } = step;
  if (challenge === 'SOFTWARE_TOKEN_MFA') return codeQuestion(session);
  const required = JSON.parse(ChallengeParameters.requiredAttributes ?? '[]') as readonly string[];
  return newPasswordQuestion(session, required);
}

function codeQuestion(session: string): Question {
  return {
    title: 'Enter the code of your authenticator app',
    button: 'Sign in',
    hidden: { challenge: 'SOFTWARE_TOKEN_MFA', session },
    fields: [field({ name: 'code', label: 'Code', type: 'text', autocomplete: 'one-time-code' })],
  };
}

/** `attributes` as fields are named: `userAttributes.name`. */
function newPasswordQuestion(session: string, attributes: readonly string[]): Question {
  const missing = attributes.map((name) => {
    const label = name.replace('userAttributes.', '').replaceAll('_', ' ');
    return field({ name, label, type: 'text', autocomplete: 'off' });
  });
  return {
    title: 'Choose a new password',
    button: 'Save and sign in',
    hidden: { challenge: 'NEW_PASSWORD_REQUIRED', session },
    fields: [
      field({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' }),
      ...missing,
    ],
  };
}

/** The same once more, where another answer may be right. A challenge that is over begins again with the password. */
function questionAgain(members: Members, given: Form, { code }: AwsError): Question {
  const { challenge, session = '', username } = given;
  if (code !== 'NotAuthorizedException') {
    if (challenge === 'SOFTWARE_TOKEN_MFA') return codeQuestion(session);
    if (challenge === 'NEW_PASSWORD_REQUIRED') {
      return newPasswordQuestion(
        session,
        attributesIn(given).map((name) => `userAttributes.${name}`),
      );
    }
  }
  return passwordQuestion(members, username);
}

function attributesIn(given: Form): readonly string[] {
  const prefix = 'userAttributes.';
  return Object.keys(given)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}
