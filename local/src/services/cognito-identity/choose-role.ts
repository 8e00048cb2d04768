import { notAuthorized } from './errors.ts';
import type { IdentityPool } from './identity-pools.ts';
import type { VerifiedLogin } from './logins.ts';

/**
 * The role of an identity: that of the guests, that of who has signed in, or one that the token names
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html). Undefined when the pool has
 * none.
 *
 * @throws AwsError NotAuthorizedException when no mapping fits and the pool denies then, or a role is asked for that the
 *   token does not have
 */
export function chooseRole(
  { roles, roleMappings }: IdentityPool,
  logins: readonly VerifiedLogin[],
  asked: string | undefined,
): string | undefined {
  const [login] = logins;
  if (!login) return roles.unauthenticated;
  const mapping = roleMappings[`${login.provider}:${login.clientId}`];
  const named = [login.claims['cognito:roles'] ?? []].flat().map(String);
  if (asked !== undefined) {
    if (mapping?.Type === 'Token' && named.includes(asked)) return asked;
    throw notAuthorized('Access denied: the custom role is not among the roles of the token.');
  }
  if (mapping?.Type !== 'Token') return roles.authenticated;
  const preferred = login.claims['cognito:preferred_role'];
  if (typeof preferred === 'string') return preferred;
  if (named.length === 1) return named[0];
  if (mapping.AmbiguousRoleResolution === 'AuthenticatedRole') return roles.authenticated;
  throw notAuthorized('Access denied: the token names no role, or more than one.');
}
