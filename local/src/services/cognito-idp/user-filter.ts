import { invalidParameter } from './errors.ts';
import type { User } from './user-pool.ts';

/** "username, email, phone_number, name, given_name, family_name, preferred_username, cognito:user_status, status, sub". */
const SEARCHABLE = ['email', 'phone_number', 'name', 'given_name', 'family_name', 'preferred_username'];

/** The Filter of ListUsers: `email = "anna@example.com"`, `name ^= "An"`. Throws InvalidParameterException. */
export function userFilter(filter: string | undefined): (user: User) => boolean {
  if (!filter) return () => true;
  const [, name = '', comparison, value = ''] =
    /^\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(filter) ?? [];
  const read = reader(name);
  if (!comparison || !read) throw invalidParameter('Error while parsing filter expression.');
  const wanted = value.replace(/\\(.)/g, '$1');
  return (user) => (comparison === '=' ? read(user) === wanted : (read(user)?.startsWith(wanted) ?? false));
}

function reader(name: string): ((user: User) => string | undefined) | undefined {
  if (SEARCHABLE.includes(name)) return ({ attributes }) => attributes[name];
  switch (name) {
    case 'username':
      return ({ username }) => username;
    case 'sub':
      return ({ sub }) => sub;
    case 'cognito:user_status':
      return ({ status }) => status;
    case 'status':
      return ({ enabled }) => (enabled ? 'Enabled' : 'Disabled');
  }
  return undefined;
}
