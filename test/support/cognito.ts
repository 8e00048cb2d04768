/** Cognito as apps and administrators reach it: unsigned and signed AWS JSON. */
import { createHash, randomBytes } from 'node:crypto';
import { beginSrp, type SrpChallenge } from '../../client/src/people/srp.ts';
import { type Answer, type AwsJson, awsJsonClient, type Credentials } from './aws-json.ts';
import type { Runtime } from './runtime.ts';

export const USER_POOLS = {
  service: 'cognito-idp',
  prefix: 'AWSCognitoIdentityProviderService',
  version: '1.1',
} as const;
export const IDENTITY_POOLS = {
  service: 'cognito-identity',
  prefix: 'AWSCognitoIdentityService',
  version: '1.1',
} as const;

export interface Tokens {
  readonly AccessToken: string;
  readonly IdToken: string;
  readonly RefreshToken: string;
}

/** User pools for an administrator. */
export function adminOf(runtime: Pick<Runtime, 'config'>, credentials?: Credentials): AwsJson {
  return awsJsonClient(runtime, USER_POOLS, credentials);
}

/** A service without a signature, as apps call it. */
export function publicClient(
  { config }: Pick<Runtime, 'config'>,
  { prefix, version }: { prefix: string; version: string },
): AwsJson {
  return async (operation, input) => {
    const response = await fetch(config.endpoint, {
      method: 'POST',
      headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': `${prefix}.${operation}` },
      body: JSON.stringify(input),
    });
    const answer = (await response.json()) as Answer;
    if (response.ok) return answer;
    throw Object.assign(new Error(String(answer.message)), { name: String(answer.__type) });
  };
}

/** Signs in as AWS's own clients do: the password does not leave this process. Rejects with the error of the service. */
export async function signInBySrp(
  app: AwsJson,
  given: { readonly poolId: string; readonly clientId: string; readonly username: string; readonly password: string },
): Promise<Answer> {
  const client = beginSrp(given.poolId);
  const begun = await app('InitiateAuth', {
    AuthFlow: 'USER_SRP_AUTH',
    ClientId: given.clientId,
    AuthParameters: { USERNAME: given.username, SRP_A: client.publicKey },
  });
  const challenge = begun.ChallengeParameters as unknown as SrpChallenge;
  return app('RespondToAuthChallenge', {
    ClientId: given.clientId,
    ChallengeName: begun.ChallengeName,
    ChallengeResponses: await client.answer(challenge, given.password, new Date()),
  });
}

/** The tokens of an answer that has them. */
export function tokensOf(answer: Answer): Tokens {
  if (!answer.AuthenticationResult) throw new Error(`no tokens, but ${JSON.stringify(answer)}`);
  return answer.AuthenticationResult as unknown as Tokens;
}

/** What a token says, unverified. */
export function claimsOf(token: string): Answer {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/** An app that signs people in on the pages of a user pool's domain (authorization code with PKCE). */
export class OAuthApp {
  /** Where the endpoints are: `<endpoint>/<domain>.auth.<region>.amazoncognito.com`. */
  readonly base: string;
  readonly clientId: string;
  readonly secret: string | undefined;
  readonly redirectUri: string;
  readonly verifier = randomBytes(32).toString('base64url');

  constructor(
    base: string,
    given: { readonly clientId: string; readonly secret?: string; readonly redirectUri: string },
  ) {
    this.base = base;
    this.clientId = given.clientId;
    this.secret = given.secret;
    this.redirectUri = given.redirectUri;
  }

  /** `/oauth2/authorize`, or another page that takes its parameters. Undefined takes a parameter away. */
  address(parameters: Readonly<Record<string, string | undefined>> = {}, endpoint = '/oauth2/authorize'): string {
    const all = {
      response_type: 'code',
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      scope: 'openid email',
      state: 'the state',
      code_challenge_method: 'S256',
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      ...parameters,
    };
    const given = Object.entries(all).filter((each): each is [string, string] => each[1] !== undefined);
    return `${this.base}${endpoint}?${new URLSearchParams(given)}`;
  }

  /** `POST /oauth2/token` or another endpoint: a public client names itself in the body, another one shows its secret. */
  async post(
    parameters: Readonly<Record<string, string | undefined>>,
    endpoint = '/oauth2/token',
  ): Promise<{ readonly status: number; readonly body: Answer }> {
    const all = { ...(this.secret === undefined && { client_id: this.clientId }), ...parameters };
    const given = Object.entries(all).filter((each): each is [string, string] => each[1] !== undefined);
    const basic = Buffer.from(`${this.clientId}:${this.secret}`).toString('base64');
    const response = await fetch(`${this.base}${endpoint}`, {
      method: 'POST',
      body: new URLSearchParams(given),
      headers: this.secret === undefined ? {} : { authorization: `Basic ${basic}` },
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
  }

  /** Tokens for a code. */
  redeem(code: string, parameters: Readonly<Record<string, string | undefined>> = {}) {
    const { verifier: code_verifier, redirectUri: redirect_uri } = this;
    return this.post({ grant_type: 'authorization_code', code, code_verifier, redirect_uri, ...parameters });
  }
}
