import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { PresenceState } from '@thingstead/contracts/presence';
import { thingKey } from '@thingstead/contracts/things';
import { parseRow } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Presence, Presences } from '../rollouts/ports.ts';

const Row = v.object({ presence: v.optional(v.pick(PresenceState, ['connected', 'since', 'lifeCycle'])) });

/** The things table, as far as it says who is connected. */
export class ThingPresences implements Presences {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async find(thing: string): Promise<Presence | undefined> {
    const get = {
      TableName: this.#table,
      Key: thingKey(thing),
      ProjectionExpression: 'presence',
      ConsistentRead: true,
    };
    const { Item } = await this.#client.send(new GetCommand(get));
    const presence = Item && parseRow(Row, Item, `the row of ${thing}`).presence;
    return (
      presence && {
        connected: presence.connected,
        since: presence.since,
        connections: presence.lifeCycle?.version,
      }
    );
  }
}
