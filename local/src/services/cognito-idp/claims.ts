/** What tokens and `/oauth2/userInfo` say about a user. */
import type { User, UserPool, UserPoolClient } from './user-pool.ts';

/** Scopes that let claims through: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-define-resource-servers.html */
const NARROW: Readonly<Record<string, readonly string[]>> = {
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
};

/**
 * The attributes that the client may read and the scopes let through. "When you request the openid scope and no others, your
 * user pool ID token and userInfo response include claims for all user attributes that your app client can read"; `profile`
 * authorizes all of them as well.
 */
export function attributesFor(
  { attributes }: User,
  { settings: { readAttributes } }: UserPoolClient,
  scopes: readonly string[],
): Readonly<Record<string, string>> {
  const narrow = scopes.flatMap((scope) => NARROW[scope] ?? []);
  const isAll = scopes.includes('profile') || narrow.length === 0;
  const shown = Object.entries(attributes).filter(
    ([name]) =>
      (!readAttributes || readAttributes.includes(name.replace(/_verified$/, '')) || readAttributes.includes(name)) &&
      (isAll || narrow.includes(name)),
  );
  return Object.fromEntries(shown);
}

/** "The group with the highest precedence" is the one with the lowest number (user-pools-user-groups). */
export function groupClaims(pool: UserPool, user: User): Readonly<Record<string, unknown>> {
  if (user.groups.length === 0) return {};
  const groups = user.groups.flatMap((name) => pool.groups.get(name) ?? []);
  const roles = groups.flatMap(({ roleArn }) => roleArn ?? []);
  const ordered = groups
    .filter(({ precedence }) => precedence !== undefined)
    .toSorted((a, b) => (a.precedence ?? 0) - (b.precedence ?? 0));
  const [first, second] = ordered;
  const isClear = first && (first.precedence !== second?.precedence || first.roleArn === second?.roleArn);
  return {
    'cognito:groups': groups.map(({ name }) => name),
    ...(roles.length > 0 && { 'cognito:roles': roles }),
    ...(isClear && first.roleArn && { 'cognito:preferred_role': first.roleArn }),
  };
}
