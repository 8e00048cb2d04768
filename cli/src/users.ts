/** Accounts of the user pool, for an administrator. */
import {
  AdminGetUserCommand,
  AdminListGroupsForUserCommand,
  type AttributeType,
  paginateListUserPools,
  paginateListUsers,
  paginateListUsersInGroup,
  type UserType,
} from '@aws-sdk/client-cognito-identity-provider';
import { paginateQuery, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { GRANT_PREFIX, GrantRow, personPartition, profileKey } from '@thingstead/contracts/grants';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { parseRow } from '@thingstead/contracts/validate';
import type { Cloud } from './cloud.ts';
import { CommandError } from './command-error.ts';

/** The name of the pool in the state stack. */
const POOL_NAME = 'thingstead';

export interface User {
  readonly email: string;
  /** The `sub`, by which the REST API and the access table know them. */
  readonly person: string;
  /** `CONFIRMED`, `UNCONFIRMED`, `FORCE_CHANGE_PASSWORD`, ... */
  readonly status: string;
  readonly enabled: boolean;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** @throws CommandError (not found) when no pool of the platform is here */
export async function findUserPool({ users, local }: Cloud): Promise<string> {
  for await (const { UserPools = [] } of paginateListUserPools({ client: users }, { MaxResults: 60 })) {
    const found = UserPools.find(({ Name }) => Name === POOL_NAME);
    if (found?.Id) return found.Id;
  }
  throw new CommandError('notFound', 'The platform is not deployed here.', {
    causes: [`there is no user pool "${POOL_NAME}"`],
    next: local ? 'npm start' : 'npx cdk deploy --all',
  });
}

/** All, or the members of a group. */
export async function listUsers(cloud: Cloud, group?: string): Promise<readonly User[]> {
  const { users: client } = cloud;
  const UserPoolId = await findUserPool(cloud);
  const pages =
    group === undefined
      ? paginateListUsers({ client }, { UserPoolId })
      : paginateListUsersInGroup({ client }, { UserPoolId, GroupName: group });
  const found: User[] = [];
  for await (const { Users = [] } of pages) found.push(...Users.map((each) => toUser(each)));
  return found.toSorted((a, b) => a.email.localeCompare(b.email));
}

/** One account, by e-mail address or by the person's id. */
export async function getUser(
  cloud: Cloud,
  name: string,
): Promise<User & { readonly groups: readonly string[]; readonly secondFactors: readonly string[] }> {
  const named = { UserPoolId: await findUserPool(cloud), Username: name };
  const [found, { Groups = [] }] = await Promise.all([
    cloud.users.send(new AdminGetUserCommand(named)),
    cloud.users.send(new AdminListGroupsForUserCommand(named)),
  ]);
  return {
    ...toUser({ ...found, Attributes: found.UserAttributes }),
    groups: Groups.map(({ GroupName = '' }) => GroupName),
    secondFactors: found.UserMFASettingList ?? [],
  };
}

/** What a person may do with which thing or site. */
export async function grantsOf({ tables: client }: Cloud, person: string): Promise<readonly GrantRow[]> {
  const pages = paginateQuery(
    { client },
    {
      TableName: TABLE_NAMES.access,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :grant)',
      ExpressionAttributeValues: { ':pk': personPartition(person), ':grant': GRANT_PREFIX },
      ConsistentRead: true,
    },
  );
  const rows: GrantRow[] = [];
  for await (const { Items = [] } of pages) rows.push(...Items.map((row) => parseRow(GrantRow, row, String(row.sk))));
  return rows;
}

/**
 * Writes into a person's profile since when the account is disabled (epoch milliseconds), or that it is not: the platform takes the
 * policies of its apps away then, and ends their connections, which outlive tokens.
 */
export async function markDisabled({ tables }: Cloud, person: string, since: number | undefined): Promise<void> {
  await tables.send(
    new UpdateCommand({
      TableName: TABLE_NAMES.access,
      Key: profileKey(person),
      UpdateExpression: `SET person = :person${since === undefined ? ' REMOVE disabledAt' : ', disabledAt = :since'}`,
      ExpressionAttributeValues: { ':person': person, ':since': since },
    }),
  );
}

function toUser({
  Attributes,
  UserStatus = 'UNKNOWN',
  Enabled = true,
  UserCreateDate,
}: Omit<UserType, '$metadata'>): User {
  return {
    email: attribute(Attributes, 'email'),
    person: attribute(Attributes, 'sub'),
    status: UserStatus,
    enabled: Enabled,
    createdAt: UserCreateDate?.getTime() ?? 0,
  };
}

function attribute(attributes: readonly AttributeType[] = [], name: string): string {
  return attributes.find(({ Name }) => Name === name)?.Value ?? '';
}
