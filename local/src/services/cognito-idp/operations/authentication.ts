import { operation } from '../../../kernel/define.ts';
import { notEmulated } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { readAttributes } from '../attributes.ts';
import { requireFlow, requireSecretHash } from '../client-access.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { invalidParameter, notAuthorized, notFound, required } from '../errors.ts';
import type { SignInStep } from '../sign-in.ts';
import { API_SCOPE, issueTokens } from '../tokens.ts';
import type { User, UserPoolClient } from '../user-pool.ts';
import type { Members } from '../user-pools.ts';
import { publicOperation } from './public-operation.ts';

interface AuthInput {
  readonly UserPoolId?: string;
  readonly ClientId?: string;
  readonly AuthFlow?: string;
  readonly AuthParameters?: Readonly<Record<string, string>>;
}

interface ChallengeInput {
  readonly UserPoolId?: string;
  readonly ClientId?: string;
  readonly ChallengeName?: string;
  readonly Session?: string;
  readonly ChallengeResponses?: Readonly<Record<string, string>>;
}

type WithClient = Members & { readonly client: UserPoolClient };

/** Tokens, or what the client has to do next. */
type SignInResult =
  | { readonly AuthenticationResult: object; readonly ChallengeParameters: object }
  | Exclude<SignInStep, { readonly user: User }>;

/** Signing in: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow.html */
export function authenticationOperations(cognito: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  const { pools } = cognito;
  const inPool = (poolId: string | undefined, clientId: string | undefined): WithClient => {
    const members = pools.get(poolId);
    const client = members.pool.clients.get(required(clientId, 'ClientId'));
    if (!client) throw notFound(`User pool client ${clientId} does not exist.`);
    return { ...members, client };
  };
  return {
    InitiateAuth: publicOperation<AuthInput>((input) => initiate(cognito, pools.byClient(input.ClientId), input)),
    RespondToAuthChallenge: publicOperation<ChallengeInput>((input) =>
      respond(cognito, pools.byClient(input.ClientId), input),
    ),
    AdminInitiateAuth: operation<AuthInput, object>({
      permissions: ({ UserPoolId }) => pools.permission('AdminInitiateAuth', UserPoolId),
      run: (input) => initiate(cognito, inPool(input.UserPoolId, input.ClientId), input, true),
    }),
    AdminRespondToAuthChallenge: operation<ChallengeInput, object>({
      permissions: ({ UserPoolId }) => pools.permission('AdminRespondToAuthChallenge', UserPoolId),
      run: (input) => respond(cognito, inPool(input.UserPoolId, input.ClientId), input),
    }),
  };
}

function initiate(
  cognito: CognitoUsers,
  members: WithClient,
  { AuthFlow: flow, AuthParameters: given = {} }: AuthInput,
  byAdmin = false,
): SignInResult {
  const { signIn } = cognito;
  const { client } = members;
  switch (flow) {
    case 'USER_SRP_AUTH': {
      requireFlow(client, flow);
      const username = required(given.USERNAME, 'USERNAME');
      requireSecretHash(client, username, given.SECRET_HASH);
      return finish(cognito, members, signIn.startSrp(members, client, username, required(given.SRP_A, 'SRP_A')));
    }
    case 'ADMIN_USER_PASSWORD_AUTH':
    case 'USER_PASSWORD_AUTH': {
      if (byAdmin !== (flow === 'ADMIN_USER_PASSWORD_AUTH'))
        throw invalidParameter(`${flow} is not for this operation`);
      requireFlow(client, flow);
      const username = required(given.USERNAME, 'USERNAME');
      requireSecretHash(client, username, given.SECRET_HASH);
      const user = signIn.checkPassword(members, client, username, required(given.PASSWORD, 'PASSWORD'));
      return finish(cognito, members, signIn.proceed(members, client, user));
    }
    case 'REFRESH_TOKEN':
    case 'REFRESH_TOKEN_AUTH':
      requireFlow(client, 'REFRESH_TOKEN_AUTH');
      return refresh(cognito, members, required(given.REFRESH_TOKEN, 'REFRESH_TOKEN'), given.SECRET_HASH);
    default:
      throw notEmulated('cognito-idp', `InitiateAuth with AuthFlow ${flow}`);
  }
}

/** A session with its first tokens for who has signed in. */
function finish({ kernel, signIn }: CognitoUsers, members: WithClient, step: SignInStep): SignInResult {
  if (!('user' in step)) return step;
  const { client, sessions } = members;
  const { session, refreshToken } = sessions.open(step.user, client, { scopes: [API_SCOPE] });
  const tokens = issueTokens(kernel, members, client, signIn.countActive(members, step.user), session);
  return { AuthenticationResult: { ...tokens, RefreshToken: refreshToken }, ChallengeParameters: {} };
}

/** New tokens; the refresh token stays the same. */
function refresh(
  { kernel, signIn }: CognitoUsers,
  members: WithClient,
  refreshToken: string,
  secretHash: string | undefined,
): SignInResult {
  const { client, sessions, users } = members;
  const session = sessions.ofRefreshToken(refreshToken, client);
  const user = users.bySub(session.sub);
  if (!user) throw notAuthorized('Invalid Refresh Token');
  requireSecretHash(client, user.username, secretHash);
  const active = signIn.countActive(members, signIn.requireUsable(user));
  return { AuthenticationResult: issueTokens(kernel, members, client, active, session), ChallengeParameters: {} };
}

function respond(cognito: CognitoUsers, members: WithClient, input: ChallengeInput): SignInResult {
  const { client } = members;
  const given = input.ChallengeResponses ?? {};
  requireSecretHash(client, required(given.USERNAME, 'USERNAME'), given.SECRET_HASH);
  return finish(cognito, members, answer(cognito, members, input, given));
}

function answer(
  { signIn }: CognitoUsers,
  members: WithClient,
  { ChallengeName, Session }: ChallengeInput,
  given: Readonly<Record<string, string>>,
): SignInStep {
  const { client, pool } = members;
  switch (ChallengeName) {
    case 'PASSWORD_VERIFIER':
      return signIn.verifySrp(members, client, given);
    case 'NEW_PASSWORD_REQUIRED': {
      const prefix = 'userAttributes.';
      const named = Object.entries(given)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, Value]) => ({ Name: name.slice(prefix.length), Value }));
      const attributes = readAttributes(named, { settings: pool.settings, client, before: {} });
      const password = required(given.NEW_PASSWORD, 'NEW_PASSWORD');
      return signIn.setNewPassword(members, client, required(Session, 'Session'), password, attributes);
    }
    case 'SOFTWARE_TOKEN_MFA': {
      const code = required(given.SOFTWARE_TOKEN_MFA_CODE, 'SOFTWARE_TOKEN_MFA_CODE');
      return signIn.takeCode(members, client, required(Session, 'Session'), code);
    }
    default:
      throw notEmulated('cognito-idp', `RespondToAuthChallenge with ${ChallengeName}`);
  }
}
