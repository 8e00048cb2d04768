import {
  type CognitoIdentityClient,
  DeleteIdentitiesCommand,
  GetIdCommand,
  NotAuthorizedException,
  ResourceNotFoundException,
} from '@aws-sdk/client-cognito-identity';
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { FetchError, JwksNotAvailableInCacheError, JwtBaseError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import type { Identities, Verified } from '../access/ports.ts';
import { poolKeysFrom } from './pool-keys.ts';

export interface IdentityPoolOptions {
  readonly region: string;
  readonly userPoolId: string;
  readonly clientId: string;
  readonly identityPoolId: string;
  /** Where the keys of the user pool are fetched, when not from Cognito itself. */
  readonly endpoint: string | undefined;
}

/** Identities of people who sign in with ID tokens of the app's client. */
export class AppIdentities implements Identities {
  readonly #client: CognitoIdentityClient;
  readonly #options: IdentityPoolOptions;
  readonly #verify: (token: string) => Promise<{ readonly sub: string }>;

  constructor(client: CognitoIdentityClient, options: IdentityPoolOptions) {
    this.#client = client;
    this.#options = options;
    const { userPoolId, clientId, endpoint } = options;
    const jwksCache = new SimpleJwksCache({ fetcher: poolKeysFrom(endpoint) });
    const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse: 'id' }, { jwksCache });
    this.#verify = (token) => verifier.verify(token);
  }

  /** @throws FetchError when the keys of the pool cannot be had */
  async verify(idToken: string): Promise<Verified> {
    try {
      return { ok: true, person: (await this.#verify(idToken)).sub };
    } catch (error) {
      const isRefused = error instanceof JwtBaseError && !(error instanceof FetchError);
      if (!isRefused || error instanceof JwksNotAvailableInCacheError) throw error;
      return { ok: false };
    }
  }

  async of(idToken: string): Promise<string | undefined> {
    const { region, userPoolId, identityPoolId } = this.#options;
    const Logins = { [`cognito-idp.${region}.amazonaws.com/${userPoolId}`]: idToken };
    try {
      return (await this.#client.send(new GetIdCommand({ IdentityPoolId: identityPoolId, Logins }))).IdentityId;
    } catch (error) {
      // The pool asks whether the sign-in still holds: a person who has signed out everywhere is refused.
      if (error instanceof NotAuthorizedException) return undefined;
      throw error;
    }
  }

  async remove(identityId: string): Promise<void> {
    try {
      const { UnprocessedIdentityIds = [] } = await this.#client.send(
        new DeleteIdentitiesCommand({ IdentityIdsToDelete: [identityId] }),
      );
      const [left] = UnprocessedIdentityIds;
      if (left) throw new Error(`the identity was not deleted: ${left.ErrorCode}`);
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
  }
}
