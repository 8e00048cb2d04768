import {
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminUserGlobalSignOutCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import type { AddCommand } from '../context.ts';
import { findUserPool, getUser, markDisabled } from '../users.ts';

/** `user disable`: no sign-in, no new tokens, no MQTT. Access tokens that are out are good for REST until they end, for 15 minutes at most. */
export const addUserDisable: AddCommand = (user, bind) => {
  user
    .command('disable')
    .summary('ends all sign-ins of an account and lets it sign in no more; what it has stays')
    .argument('<email>', 'e-mail address, or the id of the person')
    .action(
      bind(async ({ cloud, output }, name: string) => {
        const named = { UserPoolId: await findUserPool(cloud()), Username: name };
        await cloud().users.send(new AdminDisableUserCommand(named));
        await cloud().users.send(new AdminUserGlobalSignOutCommand(named));
        const found = await getUser(cloud(), name);
        await markDisabled(cloud(), found.person, Date.now());
        output.result(found, `${found.email}  ${found.person}  DISABLED`);
        output.say(
          'Its apps are cut off from MQTT. REST takes access tokens that are out until they end, for 15 minutes at most.',
        );
      }),
    );
};

/** `user enable` */
export const addUserEnable: AddCommand = (user, bind) => {
  user
    .command('enable')
    .summary('lets an account sign in again')
    .argument('<email>', 'e-mail address, or the id of the person')
    .action(
      bind(async ({ cloud, output }, name: string) => {
        const named = { UserPoolId: await findUserPool(cloud()), Username: name };
        await cloud().users.send(new AdminEnableUserCommand(named));
        const found = await getUser(cloud(), name);
        await markDisabled(cloud(), found.person, undefined);
        output.result(found, `${found.email}  ${found.person}  ${found.status}`);
      }),
    );
};
