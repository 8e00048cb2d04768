import type { AnyOperation } from '../../../kernel/service.ts';
import { requireSecretHash } from '../client-access.ts';
import { deliveryDetails, sendCode, takeCode } from '../codes.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { codeMismatch, notAuthorized, required, userNotFound, wrongPassword } from '../errors.ts';
import { countFailure, requireNotLocked } from '../lockout.ts';
import { matchesPassword } from '../password.ts';
import { requirePassword } from '../password-policy.ts';
import { bearerOf } from '../tokens.ts';
import { publicOperation } from './public-operation.ts';

interface ClientUser {
  readonly ClientId?: string;
  readonly SecretHash?: string;
  readonly Username?: string;
}

/** New passwords: https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html */
export function passwordOperations({ kernel, pools, signIn }: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  const open = ({ ClientId, SecretHash, Username }: ClientUser) => {
    const members = pools.byClient(ClientId);
    const username = required(Username, 'Username');
    requireSecretHash(members.client, username, SecretHash);
    return { members, user: members.users.find(username), hides: members.client.settings.hidesUserExistence, username };
  };
  return {
    ForgotPassword: publicOperation<ClientUser>((input) => {
      const { members, user, hides, username } = open(input);
      if (!user?.enabled) {
        if (hides) return { CodeDeliveryDetails: deliveryDetails('email', username) };
        throw user ? notAuthorized('User is disabled.') : userNotFound();
      }
      if (user.status === 'FORCE_CHANGE_PASSWORD') {
        throw notAuthorized('User password cannot be reset in the current state.');
      }
      return { CodeDeliveryDetails: sendCode(kernel, members, user, 'password') };
    }),
    ConfirmForgotPassword: publicOperation<
      ClientUser & { readonly ConfirmationCode?: string; readonly Password?: string }
    >((input) => {
      const { members, user, hides } = open(input);
      const code = required(input.ConfirmationCode, 'ConfirmationCode');
      const password = required(input.Password, 'Password');
      if (!user?.enabled) throw hides ? codeMismatch() : userNotFound();
      // A password that is refused must not cost the code.
      requirePassword(members.pool.settings.passwordPolicy, password);
      signIn.changePassword(members, takeCode(kernel, members, user, 'password', code), password);
      return {};
    }),
    ChangePassword: publicOperation<{
      readonly AccessToken?: string;
      readonly PreviousPassword?: string;
      readonly ProposedPassword?: string;
    }>(({ AccessToken, PreviousPassword, ProposedPassword }) => {
      const bearer = bearerOf(pools, required(AccessToken, 'AccessToken'));
      const now = kernel.clock.now();
      requireNotLocked(bearer.user, now);
      if (!matchesPassword(bearer.pool, bearer.user, required(PreviousPassword, 'PreviousPassword'))) {
        countFailure(bearer.users, bearer.user, now);
        throw wrongPassword();
      }
      signIn.changePassword(bearer, bearer.user, required(ProposedPassword, 'ProposedPassword'));
      return {};
    }),
  };
}
