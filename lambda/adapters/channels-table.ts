import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  ChannelRow,
  channelKey,
  type Preferences,
  ProfileRow,
  personPartition,
  profileKey,
  type Target,
  ThingPreferencesRow,
  TokenRow,
  thingPreferencesKey,
  tokenKey,
  watcherKey,
} from '@thingstead/contracts/notifications';
import { parseRow } from '@thingstead/contracts/validate';
import type { PersonRecord, Records } from '../channels/ports.ts';

type Row = Record<string, unknown>;
interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** People's channels, preferences and what they watch, in the notifications table. */
export class ChannelsTable implements Records {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async person(id: string): Promise<PersonRecord> {
    const rows = await this.#rows(personPartition(id));
    const of = (prefix: string) => rows.filter(({ sk }) => String(sk).startsWith(prefix));
    const things = of('thing#').map((row) => {
      const thing = String(row.sk).slice('thing#'.length);
      return [thing, parseRow(ThingPreferencesRow, row, `preferences of ${id} for ${thing}`).preferences];
    });
    return {
      profile: parseRow(ProfileRow, of('profile')[0] ?? {}, `the profile of ${id}`),
      channels: of('channel#').map((row) => parseRow(ChannelRow, row, `a channel of ${id}`)),
      things: Object.fromEntries(things),
    };
  }

  async channel(person: string, id: string): Promise<ChannelRow | undefined> {
    const row = await this.#get(channelKey(person, id));
    return row && parseRow(ChannelRow, row, `a channel of ${person}`);
  }

  async putTopic(person: string, topicArn: string): Promise<void> {
    await this.#set(profileKey(person), 'topicArn', topicArn);
  }

  async putChannel(person: string, row: ChannelRow): Promise<void> {
    await this.#put({ ...channelKey(person, row.id), ...row });
  }

  async deleteChannel(person: string, id: string): Promise<void> {
    await this.#delete(channelKey(person, id));
  }

  async putPreferences(person: string, thing: string | undefined, preferences: Preferences): Promise<void> {
    const key = thing === undefined ? profileKey(person) : thingPreferencesKey(person, thing);
    await this.#set(key, 'preferences', preferences);
  }

  async watch(target: Target, person: string): Promise<void> {
    await this.#put({ ...watcherKey(target, person) });
  }

  async unwatch(target: Target, person: string): Promise<void> {
    await this.#delete(watcherKey(target, person));
  }

  async tokenOwner(tokenHash: string): Promise<TokenRow | undefined> {
    const row = await this.#get(tokenKey(tokenHash));
    return row && parseRow(TokenRow, row, 'the owner of a token');
  }

  async takeToken(tokenHash: string, owner: TokenRow, from: TokenRow | undefined): Promise<boolean> {
    const free = from
      ? {
          ConditionExpression: 'person = :person AND channelId = :channelId',
          ExpressionAttributeValues: { ':person': from.person, ':channelId': from.channelId },
        }
      : { ConditionExpression: 'attribute_not_exists(pk)' };
    try {
      const Item = { ...tokenKey(tokenHash), ...owner };
      await this.#client.send(new PutCommand({ TableName: this.#table, Item, ...free }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async forget(person: string): Promise<void> {
    const profile = profileKey(person);
    for (const { sk } of await this.#rows(profile.pk)) {
      if (sk !== profile.sk) await this.#delete({ pk: profile.pk, sk: String(sk) });
    }
    await this.#delete(profile);
  }

  async dropToken(tokenHash: string, person: string): Promise<void> {
    if ((await this.tokenOwner(tokenHash))?.person === person) await this.#delete(tokenKey(tokenHash));
  }

  async #rows(pk: string): Promise<readonly Row[]> {
    const query = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
    };
    const rows: Row[] = [];
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) rows.push(...Items);
    return rows;
  }

  async #get(Key: Key): Promise<Row | undefined> {
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item;
  }

  async #put(Item: Row): Promise<void> {
    await this.#client.send(new PutCommand({ TableName: this.#table, Item }));
  }

  async #delete(Key: Key): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key }));
  }

  /** Other members of the row stay. */
  async #set(Key: Key, name: 'topicArn' | 'preferences', value: unknown): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key,
        UpdateExpression: `SET ${name} = :value`,
        ExpressionAttributeValues: { ':value': value },
      }),
    );
  }
}
