import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { CognitoUsers } from '../cognito-users.ts';
import { invalidParameter, notFound, required } from '../errors.ts';
import { page } from '../page.ts';
import { describeUser } from '../show-user.ts';
import type { Group, UserPool } from '../user-pool.ts';
import { poolOperation } from './pool-operation.ts';

interface GroupInput {
  readonly UserPoolId?: string;
  readonly GroupName?: string;
  readonly Description?: string;
  readonly Precedence?: number;
  readonly RoleArn?: string;
  readonly Username?: string;
  readonly Limit?: number;
  readonly NextToken?: string;
}

/** Groups: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-user-groups.html */
export function groupOperations(cognito: CognitoUsers): Readonly<Record<string, AnyOperation>> {
  const { kernel } = cognito;
  const put = (pool: UserPool, input: GroupInput, createdAt: number): object => {
    const name = required(input.GroupName, 'GroupName');
    if (!/^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$/u.test(name)) throw invalidParameter(`GroupName is ${name}`);
    const { Description: description, Precedence: precedence, RoleArn: roleArn } = input;
    const group: Group = { name, description, precedence, roleArn, createdAt };
    pool.groups.set(name, group);
    return { Group: describe(pool, group) };
  };
  return {
    ...poolOperation<GroupInput>(cognito, 'CreateGroup', ({ pool }, input) => {
      if (pool.groups.has(required(input.GroupName, 'GroupName'))) {
        throw new AwsError('GroupExistsException', 'A group with the name already exists.');
      }
      return put(pool, input, kernel.clock.now());
    }),
    ...poolOperation<GroupInput>(cognito, 'UpdateGroup', ({ pool }, input) =>
      put(pool, input, groupOf(pool, input.GroupName).createdAt),
    ),
    ...poolOperation<GroupInput>(cognito, 'GetGroup', ({ pool }, { GroupName }) => ({
      Group: describe(pool, groupOf(pool, GroupName)),
    })),
    ...poolOperation<GroupInput>(cognito, 'DeleteGroup', ({ pool, users }, { GroupName }) => {
      const { name } = groupOf(pool, GroupName);
      for (const user of users.all.filter(({ groups }) => groups.includes(name))) {
        users.put({ ...user, groups: user.groups.filter((each) => each !== name) });
      }
      pool.groups.delete(name);
      return {};
    }),
    ...poolOperation<GroupInput>(cognito, 'ListGroups', ({ pool }, { Limit, NextToken }) => {
      const { items, next } = page([...pool.groups.values()], Limit, NextToken);
      return { Groups: items.map((each) => describe(pool, each)), NextToken: next };
    }),
    ...poolOperation<GroupInput>(cognito, 'ListUsersInGroup', ({ pool, users }, { GroupName, Limit, NextToken }) => {
      const { name } = groupOf(pool, GroupName);
      const inGroup = users.all.filter(({ groups }) => groups.includes(name));
      const { items, next } = page(inGroup, Limit, NextToken);
      return { Users: items.map((each) => describeUser(each)), NextToken: next };
    }),
    ...poolOperation<GroupInput>(cognito, 'AdminAddUserToGroup', ({ pool, users }, { GroupName, Username }) => {
      const { name } = groupOf(pool, GroupName);
      const user = users.get(required(Username, 'Username'));
      users.put({ ...user, groups: [...new Set([...user.groups, name])] });
      return {};
    }),
    ...poolOperation<GroupInput>(cognito, 'AdminRemoveUserFromGroup', ({ pool, users }, { GroupName, Username }) => {
      const { name } = groupOf(pool, GroupName);
      const user = users.get(required(Username, 'Username'));
      users.put({ ...user, groups: user.groups.filter((each) => each !== name) });
      return {};
    }),
    ...poolOperation<GroupInput>(
      cognito,
      'AdminListGroupsForUser',
      ({ pool, users }, { Username, Limit, NextToken }) => {
        const { groups } = users.get(required(Username, 'Username'));
        const { items, next } = page(
          groups.flatMap((name) => pool.groups.get(name) ?? []),
          Limit,
          NextToken,
        );
        return { Groups: items.map((each) => describe(pool, each)), NextToken: next };
      },
    ),
  };
}

function groupOf(pool: UserPool, name: string | undefined): Group {
  const group = pool.groups.get(required(name, 'GroupName'));
  if (!group) throw notFound('Group not found.');
  return group;
}

function describe(pool: UserPool, { name, description, precedence, roleArn, createdAt }: Group): object {
  return {
    GroupName: name,
    UserPoolId: pool.id,
    Description: description,
    RoleArn: roleArn,
    Precedence: precedence,
    CreationDate: new Date(createdAt),
    LastModifiedDate: new Date(createdAt),
  };
}
