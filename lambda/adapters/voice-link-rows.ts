import { DeleteCommand, type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { parseRow } from '@thingstead/contracts/validate';
import { AlexaLinkRow, alexaLinkKey } from '@thingstead/contracts/voice';
import * as v from 'valibot';
import type { VoiceLinks } from '../access/ports.ts';

const Described = v.pick(AlexaLinkRow, ['linkedAt']);

/** Links of people to Alexa, without their tokens. */
export class VoiceLinkRows implements VoiceLinks {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async describe(person: string): Promise<{ readonly linkedAt: number } | undefined> {
    const ProjectionExpression = 'linkedAt';
    const get = { TableName: this.#table, Key: alexaLinkKey(person), ConsistentRead: true, ProjectionExpression };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(Described, Item, `the link of ${person}`);
  }

  async remove(person: string): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key: alexaLinkKey(person) }));
  }
}
