import type { AnyOperation } from '../../../kernel/service.ts';
import { type NamedValue, readAttributes, toNamedValues, withoutAttributes } from '../attributes.ts';
import { sendCode } from '../codes.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { invalidParameter, notAuthorized, required } from '../errors.ts';
import { newUser } from '../new-user.ts';
import { page } from '../page.ts';
import { keepPassword } from '../password.ts';
import { requirePassword, temporaryPassword } from '../password-policy.ts';
import { withAttributes } from '../pending-attributes.ts';
import { describeUser } from '../show-user.ts';
import { describeFactors } from '../software-token.ts';
import { userFilter } from '../user-filter.ts';
import type { User } from '../user-pool.ts';
import type { Members } from '../user-pools.ts';
import { poolOperation } from './pool-operation.ts';

interface UserInput {
  readonly UserPoolId?: string;
  readonly Username?: string;
}

interface CreateInput extends UserInput {
  readonly UserAttributes?: readonly NamedValue[];
  readonly TemporaryPassword?: string;
  readonly MessageAction?: 'RESEND' | 'SUPPRESS';
  readonly DesiredDeliveryMediums?: readonly string[];
}

const DAY_MS = 86_400_000;

/** Users, by administrators: https://docs.aws.amazon.com/cognito/latest/developerguide/how-to-create-user-accounts.html */
export function adminUserOperations(cognito: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  const { kernel, signIn } = cognito;
  const change = (name: string, how: (members: Members, user: User) => Partial<User>) =>
    poolOperation<UserInput>(cognito, name, (members, { Username }) => {
      const user = members.users.get(required(Username, 'Username'));
      members.users.put({ ...user, ...how(members, user), modifiedAt: kernel.clock.now() });
      return {};
    });
  return {
    ...poolOperation<CreateInput>(cognito, 'AdminCreateUser', (members, input) => create(cognito, members, input)),
    ...poolOperation<UserInput & { readonly Password?: string; readonly Permanent?: boolean }>(
      cognito,
      'AdminSetUserPassword',
      (members, { Username, Password, Permanent = false }) => {
        const user = members.users.get(required(Username, 'Username'));
        const password = required(Password, 'Password');
        if (Permanent) signIn.changePassword(members, user, password);
        else giveTemporary(cognito, members, user, password);
        return {};
      },
    ),
    ...poolOperation<UserInput>(cognito, 'AdminGetUser', ({ users }, { Username }) => {
      const user = users.get(required(Username, 'Username'));
      const { UserAttributes, ...rest } = { ...describeUser(user), UserAttributes: toNamedValues(user) };
      return { ...rest, ...describeFactors(user), Attributes: undefined, UserAttributes };
    }),
    ...change('AdminDisableUser', ({ sessions }, user) => {
      // "Deactivates a user profile and revokes all access tokens for the user."
      sessions.revokeAll(user);
      return { enabled: false };
    }),
    ...change('AdminEnableUser', () => ({ enabled: true })),
    ...change('AdminConfirmSignUp', (_members, { status }) => {
      if (status !== 'UNCONFIRMED') throw notAuthorized(`User cannot be confirmed. Current status is ${status}`);
      return { status: 'CONFIRMED', code: undefined };
    }),
    ...poolOperation<UserInput & { readonly UserAttributes?: readonly NamedValue[] }>(
      cognito,
      'AdminUpdateUserAttributes',
      (members, { Username, UserAttributes }) => {
        const { pool, users } = members;
        const user = users.get(required(Username, 'Username'));
        const check = { settings: pool.settings, client: undefined, before: user.attributes };
        const next = withAttributes(pool.settings, user, readAttributes(UserAttributes, check));
        users.requireFree({ ...user, attributes: { ...next.attributes, ...next.pending } });
        const updated = users.put({ ...next, modifiedAt: kernel.clock.now() });
        for (const [name, value] of Object.entries(updated.pending ?? {})) {
          if (value !== user.pending?.[name]) sendCode(kernel, members, updated, `attribute/${name}`);
        }
        return {};
      },
    ),
    ...poolOperation<UserInput & { readonly UserAttributeNames?: readonly string[] }>(
      cognito,
      'AdminDeleteUserAttributes',
      ({ pool, users }, { Username, UserAttributeNames }) => {
        const user = users.get(required(Username, 'Username'));
        const attributes = withoutAttributes(pool, user, required(UserAttributeNames, 'UserAttributeNames'));
        users.put({ ...user, attributes, modifiedAt: kernel.clock.now() });
        return {};
      },
    ),
    ...poolOperation<UserInput>(cognito, 'AdminResetUserPassword', (members, { Username }) => {
      const user = members.users.get(required(Username, 'Username'));
      sendCode(kernel, members, user, 'password');
      members.users.put({ ...members.users.get(user.username), status: 'RESET_REQUIRED' });
      members.sessions.revokeAll(user);
      return {};
    }),
    ...poolOperation<UserInput>(cognito, 'AdminUserGlobalSignOut', ({ users, sessions }, { Username }) => {
      sessions.revokeAll(users.get(required(Username, 'Username')));
      return {};
    }),
    ...poolOperation<UserInput>(cognito, 'AdminDeleteUser', ({ users, sessions }, { Username }) => {
      const user = users.get(required(Username, 'Username'));
      sessions.revokeAll(user);
      users.delete(user);
      return {};
    }),
    ...poolOperation<{
      readonly UserPoolId?: string;
      readonly Filter?: string;
      readonly Limit?: number;
      readonly PaginationToken?: string;
      readonly AttributesToGet?: readonly string[];
    }>(cognito, 'ListUsers', ({ users }, { Filter, Limit, PaginationToken, AttributesToGet }) => {
      const { items, next } = page(users.all.filter(userFilter(Filter)), Limit, PaginationToken);
      return { Users: items.map((each) => describeUser(each, AttributesToGet)), PaginationToken: next };
    }),
  };
}

function create(cognito: CognitoUsers, members: Members, input: CreateInput): object {
  const { kernel } = cognito;
  const { pool, users } = members;
  const name = required(input.Username, 'Username');
  const password = input.TemporaryPassword ?? temporaryPassword(pool.settings.passwordPolicy);
  if (input.MessageAction === 'RESEND') {
    const user = users.get(name);
    if (user.status !== 'FORCE_CHANGE_PASSWORD')
      throw invalidParameter(`Resend not possible. ${user.username} status is not FORCE_CHANGE_PASSWORD`);
    invite(cognito, members, giveTemporary(cognito, members, user, password), password);
    return { User: describeUser(users.get(name)) };
  }
  const attributes = readAttributes(input.UserAttributes, {
    settings: { ...pool.settings, schema: pool.settings.schema.map((each) => ({ ...each, required: false })) },
    client: undefined,
    before: undefined,
  });
  const user = newUser(pool, name, attributes, kernel.clock.now());
  users.requireFree(user);
  requirePassword(pool.settings.passwordPolicy, password);
  const created = giveTemporary(cognito, members, user, password);
  if (input.MessageAction !== 'SUPPRESS') invite(cognito, members, created, password);
  return { User: describeUser(created) };
}

function giveTemporary({ kernel }: CognitoUsers, { pool, users }: Members, user: User, password: string): User {
  const { passwordPolicy } = pool.settings;
  requirePassword(passwordPolicy, password);
  return users.put({
    ...user,
    password: keepPassword(pool, user.username, password),
    temporaryUntil: kernel.clock.now() + passwordPolicy.TemporaryPasswordValidityDays * DAY_MS,
    status: 'FORCE_CHANGE_PASSWORD',
  });
}

function invite({ kernel }: CognitoUsers, { pool }: Members, user: User, password: string): void {
  const { email } = user.attributes;
  if (email === undefined) return;
  const { invitationMessage, invitationSubject } = pool.settings;
  const username = pool.settings.usernameAttributes.includes('email') ? email : user.username;
  kernel.outbox.add({
    channel: 'email',
    destination: email,
    topic: null,
    subject: invitationSubject,
    message: invitationMessage.replaceAll('{username}', username).replaceAll('{####}', password),
    details: { userPoolId: pool.id, username: user.username, temporaryPassword: password },
  });
}
