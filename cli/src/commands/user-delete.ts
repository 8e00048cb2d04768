import { AdminDeleteUserCommand } from '@aws-sdk/client-cognito-identity-provider';
import { CommandError } from '../command-error.ts';
import { confirmByTyping } from '../confirm.ts';
import type { AddCommand } from '../context.ts';
import { plural } from '../output.ts';
import { findUserPool, getUser, grantsOf } from '../users.ts';

/**
 * `user delete`: for an account that has nothing. Things of somebody who is gone would be owned by nobody who can give them
 * up: DELETE /me, by the person, gives up everything and then the account.
 */
export const addUserDelete: AddCommand = (user, bind) => {
  user
    .command('delete')
    .summary('deletes an account that has access to nothing')
    .argument('<email>', 'e-mail address, or the id of the person')
    .option('--yes', 'does not ask')
    .action(
      bind(async ({ cloud, output }, name: string, { yes }: { readonly yes?: boolean }) => {
        const found = await getUser(cloud(), name);
        const grants = await grantsOf(cloud(), found.person);
        if (grants.length > 0) {
          throw new CommandError('conflict', `${found.email} has ${plural(grants.length, 'grant')}.`, {
            causes: grants.slice(0, 5).map(({ target, role }) => `${role} of ${target}`),
            next: `thingstead user disable ${found.email}`,
          });
        }
        if (!yes) await confirmByTyping(output, found.email, `The account ${found.email} will be deleted for ever.`);
        const UserPoolId = await findUserPool(cloud());
        await cloud().users.send(new AdminDeleteUserCommand({ UserPoolId, Username: found.person }));
        output.result({ email: found.email, person: found.person, deleted: true }, `${found.email} is deleted.`);
      }),
    );
};
