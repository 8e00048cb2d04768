import { DeleteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { alexaLinkKey } from '@thingstead/contracts/voice';
import type { VoiceLinks } from '../access/ports.ts';

/** Links of people to Alexa, to remove without reading their tokens. */
export class VoiceLinkRows implements VoiceLinks {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async remove(person: string): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key: alexaLinkKey(person) }));
  }
}
