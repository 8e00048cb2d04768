/** What an operator does with the users of a pool, through the SDK of AWS. */
import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDeleteUserAttributesCommand,
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminGetUserCommand,
  AdminRemoveUserFromGroupCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateUserAttributesCommand,
  CognitoIdentityProviderClient,
  paginateAdminListGroupsForUser,
  paginateListGroups,
  paginateListUserPools,
  paginateListUsers,
  paginateListUsersInGroup,
  type UserType,
} from '@aws-sdk/client-cognito-identity-provider';
import { type Runtime, startRuntime } from '../support/runtime.ts';
import { Assembly } from './lambda-fixture.ts';

const GROUPS = ['operators', 'owners', 'support'];

const assembly = new Assembly()
  .add('People', 'AWS::Cognito::UserPool', {
    UserPoolName: 'people',
    UsernameAttributes: ['email'],
    AutoVerifiedAttributes: ['email'],
    Schema: [{ Name: 'site', AttributeDataType: 'String', Mutable: true }],
  })
  .addOutput('PoolId', { Ref: 'People' });
for (const GroupName of GROUPS) {
  assembly.add(GroupName, 'AWS::Cognito::UserPoolGroup', { UserPoolId: { Ref: 'People' }, GroupName });
}

let runtime: Runtime;
let client: CognitoIdentityProviderClient;
let UserPoolId: string;

beforeAll(async () => {
  runtime = await assembly.start();
  client = new CognitoIdentityProviderClient(runtime.config);
  UserPoolId = runtime.endpoints.outputs.Test?.PoolId ?? '';
});
afterAll(() => runtime?.stop());

async function create(Username: string, more: object = {}): Promise<UserType | undefined> {
  const UserAttributes = [
    { Name: 'email_verified', Value: 'true' },
    { Name: 'custom:site', Value: 'macdonald' },
  ];
  const created = await client.send(new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, ...more }));
  return created.User;
}

async function all<Page, Item>(pages: AsyncIterable<Page>, read: (page: Page) => readonly Item[] | undefined) {
  const items: Item[] = [];
  let count = 0;
  for await (const page of pages) {
    items.push(...(read(page) ?? []));
    count += 1;
  }
  return { items, count };
}

const emailOf = ({ Attributes }: UserType) => Attributes?.find(({ Name }) => Name === 'email')?.Value;

it('creates a user, who is invited by mail, shows, changes and deletes them', async () => {
  const Username = 'anna@example.com';
  const made = await create(Username);
  expect(made).toMatchObject({ Enabled: true, UserStatus: 'FORCE_CHANGE_PASSWORD', UserCreateDate: expect.any(Date) });
  expect((await runtime.outbox()).at(-1)).toMatchObject({ channel: 'email', destination: Username });
  const user = { UserPoolId, Username };
  const show = () => client.send(new AdminGetUserCommand(user));

  await client.send(new AdminSetUserPasswordCommand({ ...user, Password: 'Correct-Horse-1', Permanent: true }));
  const UserAttributes = [{ Name: 'custom:site', Value: 'farm' }];
  await client.send(new AdminUpdateUserAttributesCommand({ ...user, UserAttributes }));
  expect(await show()).toMatchObject({
    Username: made?.Username,
    UserStatus: 'CONFIRMED',
    UserAttributes: expect.arrayContaining([...UserAttributes, { Name: 'email', Value: Username }]),
  });
  await client.send(new AdminDeleteUserAttributesCommand({ ...user, UserAttributeNames: ['custom:site'] }));
  expect((await show()).UserAttributes?.map(({ Name }) => Name)).not.toContain('custom:site');
  await expect(
    client.send(new AdminDeleteUserAttributesCommand({ ...user, UserAttributeNames: ['email'] })),
  ).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await client.send(new AdminDisableUserCommand(user));
  expect((await show()).Enabled).toBe(false);
  await client.send(new AdminEnableUserCommand(user));
  expect((await show()).Enabled).toBe(true);
  await client.send(new AdminDeleteUserCommand(user));

  await expect(show()).rejects.toMatchObject({ name: 'UserNotFoundException' });
  await expect(client.send(new AdminDeleteUserCommand(user))).rejects.toMatchObject({ name: 'UserNotFoundException' });
});

it('lists users page by page, filtered, and with the attributes that are asked for', async () => {
  const emails = Array.from({ length: 7 }, (_, at) => `list${at}@example.com`);
  for (const email of emails) await create(email, { MessageAction: 'SUPPRESS' });
  const list = (more: object) =>
    all(paginateListUsers({ client, pageSize: 3 }, { UserPoolId, ...more }), ({ Users }) => Users);

  const found = await list({ Filter: 'email ^= "list"' });
  expect(found.count).toBe(3);
  expect(found.items.map(emailOf).toSorted()).toEqual(emails);
  const [one] = (await list({ Filter: 'email = "list3@example.com"', AttributesToGet: ['custom:site'] })).items;
  expect(one?.Attributes).toEqual([{ Name: 'custom:site', Value: 'macdonald' }]);
  await expect(create('list3@example.com')).rejects.toMatchObject({ name: 'UsernameExistsException' });
});

it('puts users into groups, and finds them there', async () => {
  const Username = 'grouped@example.com';
  await create(Username, { MessageAction: 'SUPPRESS' });
  const user = { UserPoolId, Username };
  for (const GroupName of ['owners', 'operators']) {
    await client.send(new AdminAddUserToGroupCommand({ ...user, GroupName }));
  }
  await client.send(new AdminRemoveUserFromGroupCommand({ ...user, GroupName: 'operators' }));

  const groups = await all(paginateAdminListGroupsForUser({ client, pageSize: 1 }, user), ({ Groups }) => Groups);
  expect(groups.items.map(({ GroupName }) => GroupName)).toEqual(['owners']);
  const owners = await all(
    paginateListUsersInGroup({ client }, { UserPoolId, GroupName: 'owners' }),
    ({ Users }) => Users,
  );
  expect(owners.items.map(emailOf)).toEqual([Username]);
  const known = await all(paginateListGroups({ client, pageSize: 2 }, { UserPoolId }), ({ Groups }) => Groups);
  expect(known.items.map(({ GroupName }) => GroupName).toSorted()).toEqual(GROUPS);
  const unknown = new AdminAddUserToGroupCommand({ ...user, GroupName: 'nobody' });
  await expect(client.send(unknown)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

it('finds the pool by its name', async () => {
  const { items } = await all(paginateListUserPools({ client }, { MaxResults: 10 }), ({ UserPools }) => UserPools);
  expect(items).toMatchObject([{ Id: UserPoolId, Name: 'people' }]);
});

it.each(['implicit', 'client_credentials'])('a client with the grant %s stops the start by name', async (grant) => {
  const refused = new Assembly()
    .add('People', 'AWS::Cognito::UserPool')
    .add('Refused', 'AWS::Cognito::UserPoolClient', {
      UserPoolId: { Ref: 'People' },
      GenerateSecret: true,
      AllowedOAuthFlows: [grant],
    });
  const start = startRuntime({ assembly: refused.write() });
  await expect(start).rejects.toThrow(new RegExp(`Refused[^]*AllowedOAuthFlows ${grant}`));
});
