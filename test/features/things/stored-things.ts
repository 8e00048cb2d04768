/** Rows of things, grants and readings as on-boarding, pairing and telemetry write them, put straight into the tables. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DeleteCommand, DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { type GrantTarget, grantKey, ownerKey, type Role, targetKey } from '@thingstead/contracts/grants';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { listShardOf, siteOf, thingKey, WHOLE_FLEET } from '@thingstead/contracts/things';
import type { Platform } from '../../support/platform.ts';

type Row = Record<string, unknown>;

/** What a row may have beside what every thing has. */
export interface StoredThing {
  readonly name: string;
  readonly type?: string;
  readonly firmware?: string;
  readonly connected?: boolean;
  readonly label?: string;
  readonly labelledFor?: number;
}

const SINCE = Date.UTC(2026, 10, 1);

export function storedThings({ config }: Pick<Platform, 'config'>) {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(config));

  async function put(TableName: string, rows: readonly Row[]): Promise<void> {
    for (let start = 0; start < rows.length; start += 25) {
      const puts = rows.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
      await client.send(new BatchWriteCommand({ RequestItems: { [TableName]: puts } }));
    }
  }

  return {
    client,
    things: (things: readonly StoredThing[]): Promise<void> => put(TABLE_NAMES.things, things.map(thingRow)),
    history: (rows: readonly Row[]): Promise<void> => put(TABLE_NAMES.telemetryHistory, rows),
    aggregates: (rows: readonly Row[]): Promise<void> => put(TABLE_NAMES.telemetryAggregates, rows),

    async removeThing(name: string): Promise<void> {
      await client.send(new DeleteCommand({ TableName: TABLE_NAMES.things, Key: thingKey(name) }));
    },

    /** An owner's grant comes with the row that says who owns it. */
    async grant(
      person: string,
      target: GrantTarget,
      role: Role = 'owner',
      { visibleFrom = SINCE, endsAt }: { readonly visibleFrom?: number; readonly endsAt?: number } = {},
    ): Promise<void> {
      const grant = { person, target: targetKey(target), role, visibleFrom, grantedBy: person, grantedAt: visibleFrom };
      const rows: Row[] = [{ ...grantKey(person, target), ...grant, ...(endsAt !== undefined && { endsAt }) }];
      if (role === 'owner') rows.push({ ...ownerKey(target), person, since: visibleFrom });
      for (const Item of rows) await client.send(new PutCommand({ TableName: TABLE_NAMES.access, Item }));
    },

    async revoke(person: string, target: GrantTarget): Promise<void> {
      await client.send(new DeleteCommand({ TableName: TABLE_NAMES.access, Key: grantKey(person, target) }));
    },
  };
}

function thingRow({ name, type = 'station', firmware = '1.0.0', connected = true, ...label }: StoredThing): Row {
  const site = siteOf(name);
  return {
    ...thingKey(name),
    thing: name,
    ...(site !== undefined && { site }),
    thingType: type,
    model: 'weather-station',
    hardwareRevision: 'B',
    serial: `WS-${name}`,
    firmwareVersion: firmware,
    sensors: [{ name: 'temperature', unit: 'Cel' }],
    capabilities: [],
    describedAt: SINCE,
    presence: { connected, since: SINCE, revision: 1 },
    ...label,
    fleetShard: listShardOf(WHOLE_FLEET, name),
    typeShard: listShardOf(type, name),
    firmwareShard: listShardOf(firmware, name),
    connectedShard: listShardOf(String(connected), name),
  };
}
