import type { AnyOperation } from '../../../kernel/service.ts';
import { internalOperation } from '../../internal-operation.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { notAuthorized } from '../errors.ts';
import { type Claims, verifyToken } from '../tokens.ts';

/** A login that an identity pool was given. */
export interface Login {
  /** `cognito-idp.<region>.amazonaws.com/<poolId>` */
  readonly provider: string;
  readonly clientIds: readonly string[];
  readonly token: string;
  /** Refuse tokens of sessions that were ended, and of users who are disabled or gone. */
  readonly serverSideTokenCheck: boolean;
}

/**
 * VerifyIdToken: the claims of an ID token of a user pool, for identity pools. AWS has no such operation; services of the
 * runtime do not read each other's stores.
 *
 * @throws AwsError NotAuthorizedException
 */
export function verifyIdToken({ pools }: CognitoUsers): AnyOperation {
  return internalOperation<Login, { readonly claims: Claims }>('cognito-idp', 'VerifyIdToken', (login) => {
    const claims = verifyToken(pools, login.token, 'id', 'login token');
    if (claims.iss !== `https://${login.provider}`) {
      throw notAuthorized("Invalid login token. Issuer doesn't match providerName");
    }
    if (!login.clientIds.includes(String(claims.aud)))
      throw notAuthorized('Invalid login token. Incorrect token audience.');
    if (login.serverSideTokenCheck) {
      const { users, sessions } = pools.get(claims.iss.slice(claims.iss.lastIndexOf('/') + 1));
      const isGood = users.bySub(claims.sub)?.enabled === true && !sessions.isRevoked(String(claims.origin_jti));
      if (!isGood) throw notAuthorized('Invalid login token. Token is revoked');
    }
    return { claims };
  });
}
