import { AwsError } from '../../kernel/errors.ts';
import { notAuthorized } from './errors.ts';
import type { Identity, IdentityPool, IdentityPools } from './identity-pools.ts';

/** Provider -> ID token, as apps send them. */
export type Logins = Readonly<Record<string, string>>;

/** A login that was verified. */
export interface VerifiedLogin {
  readonly provider: string;
  readonly sub: string;
  readonly clientId: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Verifies the tokens of all logins: signature, time, issuer and audience.
 *
 * @throws AwsError NotAuthorizedException
 */
export async function verifyLogins(
  { kernel }: IdentityPools,
  pool: IdentityPool,
  logins: Logins | undefined,
): Promise<readonly VerifiedLogin[]> {
  const verified: VerifiedLogin[] = [];
  for (const [provider, token] of Object.entries(logins ?? {})) {
    const accepted = pool.providers.filter(({ ProviderName }) => ProviderName === provider);
    if (accepted.length === 0) {
      throw notAuthorized('Token is not from a supported provider of this identity pool.');
    }
    const { claims } = await kernel.call<{ claims: VerifiedLogin['claims'] }>(
      'cognito-idp',
      'VerifyIdToken',
      {
        provider,
        clientIds: accepted.map(({ ClientId }) => ClientId),
        token,
        serverSideTokenCheck: accepted.some(({ ServerSideTokenCheck }) => ServerSideTokenCheck),
      },
      kernel.serviceCaller('cognito-identity.amazonaws.com', pool.id),
    );
    verified.push({ provider, sub: String(claims.sub), clientId: String(claims.aud), claims });
  }
  return verified;
}

/** What an identity keeps of its logins. */
export function subsOf(logins: readonly VerifiedLogin[]): Identity['logins'] {
  return Object.fromEntries(logins.map(({ provider, sub }) => [provider, sub]));
}

/**
 * Lets these logins speak for an identity: one of them is its own, or it is a guest who has now signed in.
 *
 * @throws AwsError NotAuthorizedException, ResourceConflictException for a login that is another identity's
 */
export function identify(pools: IdentityPools, identity: Identity, logins: readonly VerifiedLogin[]): Identity {
  const owners = logins.map(({ provider, sub }) => pools.findByLogin(identity.poolId, provider, sub));
  if (owners.some((owner) => owner !== undefined && owner.id !== identity.id)) {
    throw new AwsError('ResourceConflictException', 'A login is already linked to another identity.');
  }
  const isOwn = owners.some((owner) => owner?.id === identity.id);
  if (Object.keys(identity.logins).length > 0 && !isOwn) {
    throw notAuthorized(
      "Logins don't match. Please include at least one valid login for this identity or identity pool.",
    );
  }
  return owners.every((owner) => owner?.id === identity.id) ? identity : pools.link(identity, subsOf(logins));
}
