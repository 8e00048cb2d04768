import { toNamedValues } from './attributes.ts';
import type { User } from './user-pool.ts';

/** UserType of the API, with all attributes or the named ones. */
export function describeUser(user: User, only?: readonly string[]): object {
  return {
    Username: user.username,
    Attributes: toNamedValues(user).filter(({ Name }) => only?.includes(Name ?? '') ?? true),
    UserCreateDate: new Date(user.createdAt),
    UserLastModifiedDate: new Date(user.modifiedAt),
    Enabled: user.enabled,
    UserStatus: user.status,
  };
}
