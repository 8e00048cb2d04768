import { staffGroup } from '../arguments.ts';
import type { AddCommand } from '../context.ts';
import { formatTime } from '../output.ts';
import type { Column } from '../table.ts';
import { listUsers, type User } from '../users.ts';

const columns: readonly Column<User>[] = [
  { title: 'EMAIL', value: (row) => row.email },
  { title: 'PERSON', value: (row) => row.person, fixed: true },
  { title: 'STATUS', value: (row) => (row.enabled ? row.status : 'DISABLED'), fixed: true },
  { title: 'CREATED', value: (row) => formatTime(row.createdAt), fixed: true },
];

/** `user list` */
export const addUserList: AddCommand = (user, bind) => {
  user
    .command('list')
    .summary('accounts, by e-mail address')
    .option('--group <group>', 'only the members of this group', staffGroup)
    .action(
      bind(async ({ cloud, output }, { group }: { readonly group?: string }) => {
        output.table(columns, await listUsers(cloud(), group), 'There are none.');
      }),
    );
};
