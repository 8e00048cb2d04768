/** Grants as they stand in the access table, written and read without the routes that usually do it. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetPolicyCommand, IoTClient, ListAttachedPoliciesCommand, ListPoliciesCommand } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  paginateQuery,
} from '@aws-sdk/lib-dynamodb';
import {
  type GrantRow,
  type GrantTarget,
  grantKey,
  PERSON_POLICY_PREFIX,
  personPartition,
  type Role,
  targetKey,
} from '@thingstead/contracts/grants';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import type { Platform } from '../../support/platform.ts';

type Row = Readonly<Record<string, unknown>>;

/** `macdonald-*` is a site, everything else a thing. */
export function targetNamed(name: string): GrantTarget {
  return name.endsWith('-*') ? { kind: 'site', name: name.slice(0, -2) } : { kind: 'thing', name };
}

export function grantRow(person: string, name: string, role: Role, endsAt?: number): GrantRow {
  const target = targetNamed(name);
  return {
    ...grantKey(person, target),
    ...{ person, target: targetKey(target), role, visibleFrom: 0, grantedBy: person, grantedAt: 0 },
    ...(endsAt !== undefined && { endsAt, expiresAt: Math.ceil(endsAt / 1000) }),
  };
}

export type AccessRows = ReturnType<typeof accessRows>;

export function accessRows({ config }: Pick<Platform, 'config'>) {
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(config), {
    marshallOptions: { removeUndefinedValues: true },
  });
  const iot = new IoTClient(config);
  const data = new IoTDataPlaneClient(config);
  const lambda = new LambdaClient(config);
  const TableName = TABLE_NAMES.access;

  async function rowsOf(pk: string): Promise<readonly Row[]> {
    const query = { TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk } };
    const found: Row[] = [];
    for await (const { Items = [] } of paginateQuery({ client: tables }, { ...query, ConsistentRead: true })) {
      found.push(...Items);
    }
    return found;
  }

  return {
    async grant(person: string, name: string, role: Role, endsAt?: number): Promise<void> {
      await tables.send(new PutCommand({ TableName, Item: grantRow(person, name, role, endsAt) }));
    },
    /** At most 25 at once. */
    async grantAll(person: string, names: readonly string[], role: Role): Promise<void> {
      const RequestItems = {
        [TableName]: names.map((name) => ({ PutRequest: { Item: grantRow(person, name, role) } })),
      };
      await tables.send(new BatchWriteCommand({ RequestItems }));
    },
    async revoke(person: string, name: string): Promise<void> {
      await tables.send(new DeleteCommand({ TableName, Key: grantKey(person, targetNamed(name)) }));
    },
    put: async (Item: Row): Promise<void> => {
      await tables.send(new PutCommand({ TableName, Item }));
    },
    /** Everything in the person's partition. */
    rows: (person: string): Promise<readonly Row[]> => rowsOf(personPartition(person)),
    rowsOf,
    /** As a device would, with an operator's credentials. */
    async reading(thing: string, value: number): Promise<void> {
      const topic = `device/${thing}/sensor/temperature/v1`;
      await data.send(new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify({ value })) }));
    },
    async shadow(thingName: string, reported: Row): Promise<void> {
      const payload = Buffer.from(JSON.stringify({ state: { reported } }));
      await data.send(new UpdateThingShadowCommand({ thingName, payload }));
    },
    /** Names and documents of a person's policies, attached or not. */
    async policies(person: string): Promise<Readonly<Record<string, unknown>>> {
      const { policies = [] } = await iot.send(new ListPoliciesCommand({ pageSize: 250 }));
      const own = policies.filter(({ policyName }) => policyName?.startsWith(`${PERSON_POLICY_PREFIX}${person}-`));
      const documents = await Promise.all(
        own.map(async ({ policyName }) => {
          const { policyDocument = '' } = await iot.send(new GetPolicyCommand({ policyName }));
          return [policyName, JSON.parse(policyDocument)];
        }),
      );
      return Object.fromEntries(documents);
    },
    /** Names of the policies on an identity. */
    async attached(target: string): Promise<readonly unknown[]> {
      const { policies = [] } = await iot.send(new ListAttachedPoliciesCommand({ target }));
      return policies.map(({ policyName }) => policyName);
    },
    /** Who is told about it: `person#<id>`. */
    async watchers(name: string): Promise<readonly unknown[]> {
      const query = {
        TableName: TABLE_NAMES.notifications,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': targetKey(targetNamed(name)) },
        ConsistentRead: true,
      };
      const found: unknown[] = [];
      for await (const { Items = [] } of paginateQuery({ client: tables }, query))
        found.push(...Items.map(({ sk }) => sk));
      return found;
    },
    async askChannels(request: Row): Promise<Row> {
      const { Payload } = await lambda.send(
        new InvokeCommand({ FunctionName: 'thingstead-channels', Payload: Buffer.from(JSON.stringify(request)) }),
      );
      return JSON.parse(Buffer.from(Payload ?? []).toString());
    },
  };
}
