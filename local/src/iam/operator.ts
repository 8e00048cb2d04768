import { randomText } from './credential-store.ts';
import type { LocalIam } from './local-iam.ts';

const NAME = 'operator';

/** The administrator whose keys the endpoints file holds. */
export function addOperator(
  iam: LocalIam,
  keys: { readonly accessKeyId: string; readonly secretAccessKey: string },
  createdAt: number,
): void {
  const { accountId } = iam.store;
  const arn = `arn:aws:iam::${accountId}:user/${NAME}`;
  iam.store.users.set(NAME, {
    name: NAME,
    arn,
    path: '/',
    id: `AIDA${randomText(17)}`,
    createdAt,
    inline: new Map(),
    attached: new Set(['arn:aws:iam::aws:policy/AdministratorAccess']),
    tags: new Map(),
  });
  iam.addAccessKey({ kind: 'user', arn, accountId, userName: NAME }, keys.accessKeyId, keys.secretAccessKey);
}
