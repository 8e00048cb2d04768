import type { AnyOperation } from '../../../kernel/service.ts';
import { type NamedValue, readAttributes } from '../attributes.ts';
import { requireSecretHash } from '../client-access.ts';
import { deliveryDetails, sendCode, takeCode } from '../codes.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { expiredCode, invalidParameter, notAuthorized, required, userNotFound } from '../errors.ts';
import { newUser } from '../new-user.ts';
import { keepPassword } from '../password.ts';
import { requirePassword } from '../password-policy.ts';
import type { User } from '../user-pool.ts';
import { publicOperation } from './public-operation.ts';

interface ClientUser {
  readonly ClientId?: string;
  readonly SecretHash?: string;
  readonly Username?: string;
}

/** People who make their own account: https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html */
export function signUpOperations({ kernel, pools }: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  /** The pool of a request, once the client has shown its secret. */
  const open = ({ ClientId, SecretHash, Username }: ClientUser) => {
    const members = pools.byClient(ClientId);
    const username = required(Username, 'Username');
    requireSecretHash(members.client, username, SecretHash);
    return { members, username };
  };
  return {
    SignUp: publicOperation<
      ClientUser & { readonly Password?: string; readonly UserAttributes?: readonly NamedValue[] }
    >((input) => {
      const { members, username } = open(input);
      const { pool, users, client } = members;
      if (pool.settings.adminCreateUserOnly) throw notAuthorized('SignUp is not permitted for this user pool');
      const password = required(input.Password, 'Password');
      requirePassword(pool.settings.passwordPolicy, password);
      const own = pool.settings.usernameAttributes.length > 0 ? [asAttribute(username)] : [];
      const named = [...(input.UserAttributes ?? []), ...own];
      const attributes = readAttributes(named, { settings: pool.settings, client, before: undefined });
      const user = newUser(pool, username, attributes, kernel.clock.now());
      users.requireFree(user);
      const created = users.put({ ...user, password: keepPassword(pool, user.username, password) });
      const answer = { UserConfirmed: false, UserSub: user.sub };
      if (pool.settings.autoVerifiedAttributes.length === 0) return answer;
      const isReachable = pool.settings.autoVerifiedAttributes.some((name) => user.attributes[name] !== undefined);
      return isReachable ? { ...answer, CodeDeliveryDetails: sendCode(kernel, members, created, 'sign-up') } : answer;
    }),
    ConfirmSignUp: publicOperation<ClientUser & { readonly ConfirmationCode?: string }>((input) => {
      const { members, username } = open(input);
      const { users, client } = members;
      const user = users.find(username);
      if (!user) throw client.settings.hidesUserExistence ? expiredCode() : userNotFound();
      if (user.status !== 'UNCONFIRMED') {
        throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
      }
      const confirmed = takeCode(
        kernel,
        members,
        user,
        'sign-up',
        required(input.ConfirmationCode, 'ConfirmationCode'),
      );
      users.put({ ...withVerified(confirmed, members.pool.settings.autoVerifiedAttributes), status: 'CONFIRMED' });
      return {};
    }),
    ResendConfirmationCode: publicOperation<ClientUser>((input) => {
      const { members, username } = open(input);
      const { users, client } = members;
      const user = users.find(username);
      if (!user?.enabled) {
        if (client.settings.hidesUserExistence) return { CodeDeliveryDetails: deliveryDetails('email', username) };
        throw userNotFound();
      }
      if (user.status !== 'UNCONFIRMED') throw invalidParameter('User is already confirmed.');
      return { CodeDeliveryDetails: sendCode(kernel, members, user, 'sign-up') };
    }),
  };
}

/** The address that the code went to is the person's own. */
function withVerified(user: User, autoVerified: readonly string[]): User {
  const name = ['email', 'phone_number'].find((each) => autoVerified.includes(each) && user.attributes[each]);
  return name ? { ...user, attributes: { ...user.attributes, [`${name}_verified`]: 'true' } } : user;
}

function asAttribute(username: string): NamedValue {
  return { Name: username.includes('@') ? 'email' : 'phone_number', Value: username };
}
