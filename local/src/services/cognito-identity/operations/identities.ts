import type { LocalIam } from '../../../iam/local-iam.ts';
import type { Caller } from '../../../kernel/caller.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { chooseRole } from '../choose-role.ts';
import { invalidConfiguration, notAuthorized } from '../errors.ts';
import type { Identity, IdentityPool, IdentityPools } from '../identity-pools.ts';
import { identify, type Logins, subsOf, type VerifiedLogin, verifyLogins } from '../logins.ts';

const COGNITO = 'cognito-identity.amazonaws.com';
const SESSION_NAME = 'CognitoIdentityCredentials';
/** "The credentials … expire after one hour" in the enhanced flow. */
const LIFETIME_SECONDS = 3600;

/**
 * What apps ask, without AWS credentials: who am I, and credentials for me (the enhanced flow,
 * https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html).
 */
export function identityOperations(pools: IdentityPools, iam: LocalIam): Readonly<Record<string, AnyOperation>> {
  return {
    GetId: operation<{ readonly IdentityPoolId?: string; readonly Logins?: Logins }, object>({
      permissions: () => [],
      async run({ IdentityPoolId, Logins }) {
        const pool = pools.get(IdentityPoolId);
        const logins = await verifyLogins(pools, pool, Logins);
        if (logins.length === 0) requireGuests(pool);
        const known = logins.map(({ provider, sub }) => pools.findByLogin(pool.id, provider, sub));
        const identity = known.find((each) => each !== undefined) ?? pools.add(pool.id, subsOf(logins));
        return { IdentityId: identity.id };
      },
    }),
    GetCredentialsForIdentity: operation<
      { readonly IdentityId?: string; readonly Logins?: Logins; readonly CustomRoleArn?: string },
      object
    >({
      permissions: () => [],
      async run({ IdentityId, Logins, CustomRoleArn }) {
        const found = pools.identity(IdentityId);
        const pool = pools.get(found.poolId);
        const logins = await verifyLogins(pools, pool, Logins);
        const identity = logins.length > 0 ? identify(pools, found, logins) : asGuest(pool, found);
        const session = takeRole(iam, pool, identity, logins, CustomRoleArn);
        const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = iam.issueCredentials(
          session,
          LIFETIME_SECONDS,
        );
        return {
          IdentityId: identity.id,
          Credentials: {
            AccessKeyId: accessKeyId,
            SecretKey: secretAccessKey,
            SessionToken: sessionToken,
            Expiration: new Date(expiresAt),
          },
        };
      },
    }),
  };
}

function requireGuests({ allowUnauthenticated }: IdentityPool): void {
  if (!allowUnauthenticated) throw notAuthorized('Unauthenticated access is not supported for this identity pool.');
}

function asGuest(pool: IdentityPool, identity: Identity): Identity {
  if (Object.keys(identity.logins).length > 0) throw notAuthorized(`Access to Identity '${identity.id}' is forbidden.`);
  requireGuests(pool);
  return identity;
}

/** A session of the identity's role, whose trust policy sees pool, identity and how it signed in. */
function takeRole(
  iam: LocalIam,
  pool: IdentityPool,
  identity: Identity,
  logins: readonly VerifiedLogin[],
  asked: string | undefined,
): Caller {
  const role = chooseRole(pool, logins, asked);
  if (role === undefined) throw invalidConfiguration();
  const methods = logins.flatMap(({ provider, sub }) => [provider, `${provider}:CognitoSignIn:${sub}`]);
  const keys = {
    [`${COGNITO}:aud`]: pool.id,
    [`${COGNITO}:sub`]: identity.id,
    [`${COGNITO}:amr`]: logins.length > 0 ? ['authenticated', ...methods] : ['unauthenticated'],
  };
  try {
    return iam.assumeRoleWithWebIdentity(role, COGNITO, SESSION_NAME, keys);
  } catch (error) {
    if (error instanceof AwsError && (error.code === 'AccessDenied' || error.code === 'NoSuchEntity')) {
      throw invalidConfiguration();
    }
    throw error;
  }
}
