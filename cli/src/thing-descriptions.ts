import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { DescribedThing } from '@thingstead/contracts/onboarding';
import { thingKey } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import type { Cloud } from './cloud.ts';

/** What a thing has said of itself; undefined when it has not yet. */
export async function getDescription({ tables }: Cloud, thing: string): Promise<DescribedThing | undefined> {
  const key = { TableName: TABLE_NAMES.things, Key: thingKey(thing), ConsistentRead: true };
  const { Item } = await tables.send(new GetCommand(key));
  // Presence may have made the row.
  return Item?.describedAt === undefined ? undefined : parseRow(DescribedThing, Item, `the row of ${thing}`);
}
