import type { PoolSettings, User } from './user-pool.ts';

/**
 * The user with changed attributes. An address that the pool keeps until the new one is verified stays as it is, and the new
 * one waits; one that an administrator calls verified does not wait
 * (https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserAttributeUpdateSettingsType.html).
 * A code that was sent for an address is no proof of another one.
 */
export function withAttributes(
  { keepsOriginal = [] }: PoolSettings,
  user: User,
  given: Readonly<Record<string, string>>,
): User {
  const attributes = { ...user.attributes };
  const pending = { ...user.pending };
  for (const [name, value] of Object.entries(given)) {
    const isOld = value === attributes[name] || given[`${name}_verified`] === 'true';
    delete pending[name];
    if (keepsOriginal.includes(name) && !isOld) pending[name] = value;
    else attributes[name] = value;
  }
  const isCodeOfOther = Object.keys(given).some((name) => user.code?.purpose === `attribute/${name}`);
  return {
    ...user,
    attributes,
    pending: Object.keys(pending).length > 0 ? pending : undefined,
    code: isCodeOfOther ? undefined : user.code,
  };
}

/** The user once an address has been verified. */
export function withVerified({ pending, ...user }: User, name: string): User {
  const { [name]: value, ...rest } = pending ?? {};
  const attributes = {
    ...user.attributes,
    ...(value !== undefined && { [name]: value }),
    [`${name}_verified`]: 'true',
  };
  return { ...user, attributes, pending: Object.keys(rest).length > 0 ? rest : undefined };
}
