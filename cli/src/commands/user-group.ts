import { AdminAddUserToGroupCommand, AdminRemoveUserFromGroupCommand } from '@aws-sdk/client-cognito-identity-provider';
import { staffGroup } from '../arguments.ts';
import type { AddCommand } from '../context.ts';
import { findUserPool, getUser } from '../users.ts';

/** `user add-to-group` */
export const addUserAddToGroup: AddCommand = (user, bind) => {
  user
    .command('add-to-group')
    .summary('makes somebody an operator or support; their next access token says so')
    .argument('<email>', 'e-mail address, or the id of the person')
    .argument('<group>', 'operator or support', staffGroup)
    .action(
      bind(async ({ cloud, output }, name: string, GroupName: string) => {
        const named = { UserPoolId: await findUserPool(cloud()), Username: name };
        await cloud().users.send(new AdminAddUserToGroupCommand({ ...named, GroupName }));
        const found = await getUser(cloud(), name);
        output.result(found, `${found.email}  ${found.groups.join(', ')}`);
      }),
    );
};

/** `user remove-from-group` */
export const addUserRemoveFromGroup: AddCommand = (user, bind) => {
  user
    .command('remove-from-group')
    .summary('takes somebody out of a group')
    .argument('<email>', 'e-mail address, or the id of the person')
    .argument('<group>', 'operator or support', staffGroup)
    .action(
      bind(async ({ cloud, output }, name: string, GroupName: string) => {
        const named = { UserPoolId: await findUserPool(cloud()), Username: name };
        await cloud().users.send(new AdminRemoveUserFromGroupCommand({ ...named, GroupName }));
        const found = await getUser(cloud(), name);
        output.result(found, `${found.email}  ${found.groups.join(', ') || 'no group'}`);
        output.say('Access tokens that were given out say otherwise until they end, for 15 minutes at most.');
      }),
    );
};
