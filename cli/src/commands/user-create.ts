import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminSetUserPasswordCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { emailAddress, staffGroups } from '../arguments.ts';
import { askPassword } from '../ask.ts';
import type { Cloud } from '../cloud.ts';
import type { AddCommand } from '../context.ts';
import { findUserPool, getUser } from '../users.ts';

interface Options {
  readonly group?: readonly string[];
  readonly setPassword?: boolean;
}

/** `user create`: an account that nobody has to confirm, since an operator vouches for its address. */
export const addUserCreate: AddCommand = (user, bind) => {
  user
    .command('create')
    .summary('makes an account; a mail with a password for the first sign-in goes to its address')
    .argument('<email>', 'its e-mail address', emailAddress)
    .option('--group <group>', 'operator or support; again for the other', staffGroups)
    .option('--set-password', 'sends no mail, but asks for the password, or takes it from THINGSTEAD_PASSWORD')
    .action(
      bind(async ({ cloud, output }, email: string, { group = [], setPassword = false }: Options) => {
        const Password = setPassword ? await askPassword(`Password for ${email}`) : undefined;
        const UserPoolId = await findUserPool(cloud());
        await cloud().users.send(
          new AdminCreateUserCommand({
            ...{ UserPoolId, Username: email },
            UserAttributes: [
              { Name: 'email', Value: email },
              { Name: 'email_verified', Value: 'true' },
            ],
            ...(Password === undefined ? { DesiredDeliveryMediums: ['EMAIL'] } : { MessageAction: 'SUPPRESS' }),
          }),
        );
        if (Password !== undefined) await setForEver(cloud(), { UserPoolId, Username: email, Password });
        for (const GroupName of group) {
          await cloud().users.send(new AdminAddUserToGroupCommand({ UserPoolId, Username: email, GroupName }));
        }
        const made = await getUser(cloud(), email);
        output.result(made, `${made.email}  ${made.person}  ${made.status}`);
      }),
    );
};

/** An account without the password that was asked for is of no use: the pool may find it too weak. */
async function setForEver(
  { users }: Cloud,
  account: { readonly UserPoolId: string; readonly Username: string; readonly Password: string },
): Promise<void> {
  const { UserPoolId, Username } = account;
  try {
    await users.send(new AdminSetUserPasswordCommand({ ...account, Permanent: true }));
  } catch (error) {
    await users.send(new AdminDeleteUserCommand({ UserPoolId, Username }));
    throw error;
  }
}
