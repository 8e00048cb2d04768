/** Cognito as apps and administrators reach it: unsigned and signed AWS JSON. */
import { type Answer, type AwsJson, awsJsonClient, type Credentials } from './aws-json.ts';
import type { Runtime } from './runtime.ts';
import { type Challenge, srpClient } from './srp-client.ts';

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
  const client = srpClient(given.poolId);
  const begun = await app('InitiateAuth', {
    AuthFlow: 'USER_SRP_AUTH',
    ClientId: given.clientId,
    AuthParameters: { USERNAME: given.username, SRP_A: client.publicKey },
  });
  const challenge = begun.ChallengeParameters as unknown as Challenge;
  return app('RespondToAuthChallenge', {
    ClientId: given.clientId,
    ChallengeName: begun.ChallengeName,
    ChallengeResponses: client.answer(challenge, given.password),
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
