import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { FetchError, JwksNotAvailableInCacheError, JwtBaseError, JwtExpiredError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import type { AccessTokens, Verified } from '../voice/ports.ts';
import { poolKeysFrom } from './pool-keys.ts';

/** Access tokens of one client of a user pool, verified by signature, issuer, client, use and time. */
export class UserPoolAccessTokens implements AccessTokens {
  readonly #verify: (token: string) => Promise<{ readonly sub: string }>;

  /** @param endpoint where the keys are fetched, when not from Cognito itself */
  constructor(pool: { readonly userPoolId: string; readonly clientId: string }, endpoint: string | undefined) {
    const cache = new SimpleJwksCache({ fetcher: poolKeysFrom(endpoint) });
    const verifier = CognitoJwtVerifier.create({ ...pool, tokenUse: 'access' }, { jwksCache: cache });
    this.#verify = (token) => verifier.verify(token);
  }

  /** @throws FetchError when the keys of the pool cannot be had */
  async verify(token: string): Promise<Verified> {
    try {
      return { ok: true, person: (await this.#verify(token)).sub };
    } catch (error) {
      if (!(error instanceof JwtBaseError)) throw error;
      if (error instanceof FetchError || error instanceof JwksNotAvailableInCacheError) throw error;
      return { ok: false, reason: error instanceof JwtExpiredError ? 'expired' : 'invalid' };
    }
  }
}
