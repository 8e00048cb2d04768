import type { AddCommand } from '../context.ts';
import { formatTime } from '../output.ts';
import { getUser, grantsOf } from '../users.ts';

/** `user show` */
export const addUserShow: AddCommand = (user, bind) => {
  user
    .command('show')
    .summary('an account, its groups, and what it has access to')
    .argument('<email>', 'e-mail address, or the id of the person')
    .action(
      bind(async ({ cloud, output }, name: string) => {
        const found = await getUser(cloud(), name);
        const grants = (await grantsOf(cloud(), found.person)).map(({ target, role, endsAt }) => ({
          target,
          role,
          endsAt,
        }));
        const line = (title: string, text: string): string => `${title.padEnd(10)}${text}`;
        output.result(
          { ...found, grants },
          [
            line('email', found.email),
            line('person', found.person),
            line('status', found.enabled ? found.status : `${found.status}, DISABLED`),
            line('created', formatTime(found.createdAt)),
            ...found.groups.map((each) => line('group', each)),
            ...found.secondFactors.map((each) => line('factor', each)),
            ...grants.map(({ target, role, endsAt }) =>
              line('grant', `${role} of ${target}${endsAt === undefined ? '' : ` until ${formatTime(endsAt)}`}`),
            ),
          ].join('\n'),
        );
      }),
    );
};
