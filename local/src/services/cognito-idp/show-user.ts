import { toNamedValues } from './attributes.ts';
import type { User } from './user-pool.ts';

/** UserType of the API. */
export function describeUser(user: User): object {
  return {
    Username: user.username,
    Attributes: toNamedValues(user),
    UserCreateDate: new Date(user.createdAt),
    UserLastModifiedDate: new Date(user.modifiedAt),
    Enabled: user.enabled,
    UserStatus: user.status,
  };
}
