import * as v from 'valibot';
import { callAws, SignInError } from './aws-json.ts';
import { beginSrp } from './srp.ts';

/** Tokens of one sign-in. */
export interface Tokens {
  /** For the REST API. */
  readonly access: string;
  /** For the identity pool. */
  readonly id: string;
  /** Good for new ones. */
  readonly refresh: string;
}

export interface UserPoolOptions {
  /** The output `UserPoolId`. */
  readonly userPoolId: string;
  /** The output `AppClientId`. */
  readonly appClientId: string;
  /** Of the local runtime; AWS's own, by the region in the pool's id, unless it is given. */
  readonly endpoint?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
}

export interface SignInRequest {
  readonly email: string;
  readonly password: string;
  /** Asked for the six digits of the person's authenticator app, if they have set one up. */
  readonly code?: () => Promise<string>;
  /** Asked for another password, if this one was given by an administrator. */
  readonly newPassword?: () => Promise<string>;
}

const Result = v.object({
  AccessToken: v.string(),
  IdToken: v.string(),
  RefreshToken: v.optional(v.string()),
});
const Answer = v.object({
  AuthenticationResult: v.optional(Result),
  ChallengeName: v.optional(v.string()),
  Session: v.optional(v.string()),
  ChallengeParameters: v.optional(v.record(v.string(), v.string()), {}),
});
type Answer = v.InferOutput<typeof Answer>;
const SrpParameters = v.object({
  SALT: v.string(),
  SRP_B: v.string(),
  SECRET_BLOCK: v.string(),
  USER_ID_FOR_SRP: v.string(),
});
const Nothing = v.unknown();

export interface UserPool {
  /** By SRP: the password stays here. @throws SignInError as the pool says it; a challenge that is not answered is one too */
  signIn(request: SignInRequest): Promise<Tokens>;
  /** @throws SignInError (NotAuthorizedException) when the sign-in is over */
  refresh(tokens: Pick<Tokens, 'refresh'>): Promise<Tokens>;
  /** Makes an account; a code goes to the address. */
  signUp(account: Pick<SignInRequest, 'email' | 'password'>): Promise<void>;
  confirmSignUp(confirmation: { readonly email: string; readonly code: string }): Promise<void>;
  /** Ends the sign-in: its refresh token is void. */
  signOut(tokens: Pick<Tokens, 'refresh'>): Promise<void>;
}

/** The user pool as the app reaches it. */
export function userPool({ userPoolId, appClientId: ClientId, endpoint, fetch }: UserPoolOptions): UserPool {
  const region = userPoolId.slice(0, userPoolId.indexOf('_'));
  const service = {
    endpoint: endpoint ?? `https://cognito-idp.${region}.amazonaws.com/`,
    prefix: 'AWSCognitoIdentityProviderService',
    fetch,
  };
  const respond = (before: Answer, ChallengeResponses: Readonly<Record<string, string>>): Promise<Answer> => {
    const { ChallengeName, Session } = before;
    const input = { ClientId, ChallengeName, ChallengeResponses, ...(Session !== undefined && { Session }) };
    return callAws(service, 'RespondToAuthChallenge', input, Answer);
  };

  return {
    async signIn({ email, password, code, newPassword }) {
      const srp = beginSrp(userPoolId);
      const AuthParameters = { USERNAME: email, SRP_A: srp.publicKey };
      const begun = await callAws(
        service,
        'InitiateAuth',
        { AuthFlow: 'USER_SRP_AUTH', ClientId, AuthParameters },
        Answer,
      );
      const challenge = v.safeParse(SrpParameters, begun.ChallengeParameters);
      if (!challenge.success) throw notAnswered(begun);
      const USERNAME = challenge.output.USER_ID_FOR_SRP;
      let answer = await respond(begun, await srp.answer(challenge.output, password, new Date()));
      if (answer.ChallengeName === 'NEW_PASSWORD_REQUIRED' && newPassword) {
        answer = await respond(answer, { USERNAME, NEW_PASSWORD: await newPassword() });
      }
      if (answer.ChallengeName === 'SOFTWARE_TOKEN_MFA' && code) {
        answer = await respond(answer, { USERNAME, SOFTWARE_TOKEN_MFA_CODE: await code() });
      }
      return tokensOf(answer);
    },
    async refresh({ refresh }) {
      const AuthParameters = { REFRESH_TOKEN: refresh };
      const input = { AuthFlow: 'REFRESH_TOKEN_AUTH', ClientId, AuthParameters };
      return tokensOf(await callAws(service, 'InitiateAuth', input, Answer), refresh);
    },
    async signUp({ email, password }) {
      const UserAttributes = [{ Name: 'email', Value: email }];
      await callAws(service, 'SignUp', { ClientId, Username: email, Password: password, UserAttributes }, Nothing);
    },
    async confirmSignUp({ email, code }) {
      await callAws(service, 'ConfirmSignUp', { ClientId, Username: email, ConfirmationCode: code }, Nothing);
    },
    async signOut({ refresh }) {
      await callAws(service, 'RevokeToken', { ClientId, Token: refresh }, Nothing);
    },
  };
}

function tokensOf(answer: Answer, refresh = ''): Tokens {
  const { AuthenticationResult: result } = answer;
  if (!result) throw notAnswered(answer);
  return { access: result.AccessToken, id: result.IdToken, refresh: result.RefreshToken ?? refresh };
}

function notAnswered({ ChallengeName = 'nothing' }: Answer): SignInError {
  return new SignInError('ChallengeNotAnswered', `the user pool asks for ${ChallengeName}, which is not answered here`);
}
