/** Tables through the SDK: settings, time to live, protection, and what IAM lets a role do with items. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  QueryCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

let runtime: Runtime;
let client: DynamoDBClient;

beforeAll(async () => {
  runtime = await startRuntime();
  client = new DynamoDBClient(runtime.config);
});
afterAll(async () => {
  client.destroy();
  await runtime.stop();
});
beforeEach(() => runtime.reset());

function table(TableName: string, more: Partial<CreateTableCommandInput> = {}): CreateTableCommand {
  return new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    ...more,
  });
}

describe('a table', () => {
  it('is described with its settings, and waiters see it at once', async () => {
    // WHEN
    await client.send(
      table('Things', {
        DeletionProtectionEnabled: true,
        Tags: [{ Key: 'stage', Value: 'test' }],
        TableClass: 'STANDARD',
      }),
    );
    await waitUntilTableExists({ client, minDelay: 1, maxWaitTime: 5 }, { TableName: 'Things' });
    await client.send(
      new UpdateContinuousBackupsCommand({
        TableName: 'Things',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    );

    // THEN
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'Things' }));
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: `arn:aws:dynamodb:us-east-1:${runtime.endpoints.accountId}:table/Things`,
      DeletionProtectionEnabled: true,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      CreationDateTime: expect.any(Date),
    });
    const { Tags } = await client.send(new ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn }));
    expect(Tags).toEqual([{ Key: 'stage', Value: 'test' }]);
    const backups = await client.send(new DescribeContinuousBackupsCommand({ TableName: 'Things' }));
    expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription).toMatchObject({
      PointInTimeRecoveryStatus: 'ENABLED',
      RecoveryPeriodInDays: 35,
    });
  });

  it('is not deleted while it is protected', async () => {
    await client.send(table('Things', { DeletionProtectionEnabled: true }));
    await expect(client.send(new DeleteTableCommand({ TableName: 'Things' }))).rejects.toThrow(
      'protected against deletion',
    );

    await client.send(new UpdateTableCommand({ TableName: 'Things', DeletionProtectionEnabled: false }));
    await client.send(new DeleteTableCommand({ TableName: 'Things' }));

    expect((await client.send(new ListTablesCommand({}))).TableNames).toEqual([]);
    await expect(client.send(new GetItemCommand({ TableName: 'Things', Key: { pk: { S: 'x' } } }))).rejects.toThrow(
      'Requested resource not found',
    );
  });

  it('exists once, and streams are refused by name', async () => {
    await client.send(table('Things'));

    await expect(client.send(table('Things'))).rejects.toThrow('Table already exists: Things');
    await expect(
      client.send(table('Other', { OnDemandThroughput: { MaxReadRequestUnits: 1, MaxWriteRequestUnits: 1 } })),
    ).rejects.toThrow('does not emulate OnDemandThroughput of dynamodb:CreateTable');
  });
});

describe('time to live', () => {
  it('deletes what has expired, some time after, and nothing else', async () => {
    // GIVEN
    const TableName = 'Things';
    await client.send(table(TableName));
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { Enabled: true, AttributeName: 'expiresAt' },
      }),
    );
    const inSeconds = (seconds: number) => ({ N: String(Math.floor(Date.now() / 1000) + seconds) });
    const exists = async (pk: string) => {
      const { Item } = await client.send(new GetItemCommand({ TableName, Key: { pk: { S: pk } } }));
      return Item !== undefined;
    };
    for (const [pk, expiresAt] of Object.entries({ soon: inSeconds(60), later: inSeconds(86_400), text: { S: '1' } })) {
      await client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, expiresAt } }));
    }

    // WHEN
    await runtime.advance(120);
    const rightAfterExpiry = await exists('soon');
    await runtime.advance(2 * 3600);

    // THEN
    expect(rightAfterExpiry).toBe(true);
    expect(await exists('soon')).toBe(false);
    expect(await exists('later')).toBe(true);
    expect(await exists('text')).toBe(true);
    await runtime.advance(2 * 86_400);
    expect(await exists('later')).toBe(false);
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
  });
});

describe('permissions', () => {
  async function asRole(policy: object): Promise<DynamoDBClient> {
    const iam = new IAMClient(runtime.config);
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: 'reader',
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' },
        }),
      }),
    );
    await iam.send(
      new PutRolePolicyCommand({ RoleName: 'reader', PolicyName: 'p', PolicyDocument: JSON.stringify(policy) }),
    );
    const { Credentials } = await new STSClient(runtime.config).send(
      new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'test' }),
    );
    return new DynamoDBClient({
      ...runtime.config,
      credentials: {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      },
    });
  }

  it('can be for one partition, one action and one index', async () => {
    // GIVEN
    const arn = `arn:aws:dynamodb:us-east-1:${runtime.endpoints.accountId}:table/Things`;
    await client.send(
      table('Things', {
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'owner', AttributeType: 'S' },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'byOwner',
            KeySchema: [{ AttributeName: 'owner', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      }),
    );
    const reader = await asRole({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'dynamodb:GetItem',
          Resource: arn,
          Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['mine'] } },
        },
        { Effect: 'Allow', Action: 'dynamodb:Query', Resource: `${arn}/index/byOwner` },
      ],
    });
    const query = { TableName: 'Things', ExpressionAttributeValues: { ':x': { S: 'me' } } };

    // WHEN
    const mine = reader.send(new GetItemCommand({ TableName: 'Things', Key: { pk: { S: 'mine' } } }));
    const index = reader.send(
      new QueryCommand({
        ...query,
        IndexName: 'byOwner',
        KeyConditionExpression: '#o = :x',
        ExpressionAttributeNames: { '#o': 'owner' },
      }),
    );
    const theirs = reader.send(new GetItemCommand({ TableName: 'Things', Key: { pk: { S: 'theirs' } } }));
    const ofTable = reader.send(new QueryCommand({ ...query, KeyConditionExpression: 'pk = :x' }));
    const write = reader.send(new PutItemCommand({ TableName: 'Things', Item: { pk: { S: 'mine' } } }));
    const outcomes = await Promise.allSettled([mine, index, theirs, ofTable, write]);

    // THEN
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
    ]);
    await expect(write).rejects.toThrow(
      `assumed-role/reader/test is not authorized to perform: dynamodb:PutItem on resource: ${arn} because no identity-based policy allows the dynamodb:PutItem action`,
    );
  });
});
