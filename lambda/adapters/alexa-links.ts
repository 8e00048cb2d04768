import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { personPartition } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import { AlexaLinkRow, alexaLinkKey, REPORTED_PREFIX } from '@thingstead/contracts/voice';
import type { AlexaTokens, NewLinks } from '../voice/ports.ts';
import type { Links } from '../voice-reports/ports.ts';

type Use = 'alexa-access-token' | 'alexa-refresh-token';

export interface LinksOptions {
  readonly table: string;
  readonly keyArn: string;
}

/**
 * Links in the voice table. A token leaves this class only in plain text to whoever sends it, and reaches the table only encrypted,
 * under a context that names person and use: one that was put into another row does not open.
 * https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
export class AlexaLinks implements Links, NewLinks {
  readonly #tables: DynamoDBDocumentClient;
  readonly #kms: KMSClient;
  readonly #options: LinksOptions;

  constructor(tables: DynamoDBDocumentClient, kms: KMSClient, options: LinksOptions) {
    this.#tables = tables;
    this.#kms = kms;
    this.#options = options;
  }

  async find(person: string): Promise<AlexaLinkRow | undefined> {
    const key = { TableName: this.#options.table, Key: alexaLinkKey(person), ConsistentRead: true };
    const { Item } = await this.#tables.send(new GetCommand(key));
    return Item && parseRow(AlexaLinkRow, Item, `the link of ${person}`);
  }

  async put(person: string, linkId: string, tokens: AlexaTokens, now: number): Promise<void> {
    const row: AlexaLinkRow = { person, linkId, linkedAt: now, ...(await this.#encrypted(person, tokens)) };
    const Item = { ...alexaLinkKey(person), ...row };
    await this.#tables.send(new PutCommand({ TableName: this.#options.table, Item }));
  }

  async open({ person, accessToken, refreshToken, endsAt }: AlexaLinkRow): Promise<AlexaTokens> {
    const [access, refresh] = await Promise.all([
      this.#decrypt(person, 'alexa-access-token', accessToken),
      this.#decrypt(person, 'alexa-refresh-token', refreshToken),
    ]);
    return { accessToken: access, refreshToken: refresh, endsAt };
  }

  async renew({ person, linkId }: AlexaLinkRow, tokens: AlexaTokens): Promise<void> {
    const { accessToken, refreshToken, endsAt } = await this.#encrypted(person, tokens);
    await ifStill(
      this.#tables.send(
        new UpdateCommand({
          TableName: this.#options.table,
          Key: alexaLinkKey(person),
          UpdateExpression: 'SET accessToken = :access, refreshToken = :refresh, endsAt = :endsAt',
          ConditionExpression: 'linkId = :linkId',
          ExpressionAttributeValues: {
            ':access': accessToken,
            ':refresh': refreshToken,
            ':endsAt': endsAt,
            ':linkId': linkId,
          },
        }),
      ),
    );
  }

  async forget(person: string): Promise<void> {
    const TableName = this.#options.table;
    const query = {
      TableName,
      KeyConditionExpression: 'pk = :person AND begins_with(sk, :reported)',
      ProjectionExpression: 'pk, sk',
      ExpressionAttributeValues: { ':person': personPartition(person), ':reported': REPORTED_PREFIX },
    };
    for await (const { Items = [] } of paginateQuery({ client: this.#tables }, query)) {
      for (const { pk, sk } of Items) await this.#tables.send(new DeleteCommand({ TableName, Key: { pk, sk } }));
    }
  }

  async remove({ person, linkId }: AlexaLinkRow): Promise<void> {
    await this.forget(person);
    // Last, so that whoever comes again after a failure finds what is left.
    await ifStill(
      this.#tables.send(
        new DeleteCommand({
          TableName: this.#options.table,
          Key: alexaLinkKey(person),
          ConditionExpression: 'linkId = :linkId',
          ExpressionAttributeValues: { ':linkId': linkId },
        }),
      ),
    );
  }

  async #encrypted(person: string, { accessToken, refreshToken, endsAt }: AlexaTokens) {
    const [access, refresh] = await Promise.all([
      this.#encrypt(person, 'alexa-access-token', accessToken),
      this.#encrypt(person, 'alexa-refresh-token', refreshToken),
    ]);
    return { accessToken: access, refreshToken: refresh, endsAt };
  }

  async #encrypt(person: string, use: Use, token: string): Promise<Uint8Array> {
    const { CiphertextBlob } = await this.#kms.send(
      new EncryptCommand({
        KeyId: this.#options.keyArn,
        Plaintext: Buffer.from(token),
        EncryptionContext: { person, use },
      }),
    );
    if (!CiphertextBlob) throw new Error('KMS has encrypted nothing');
    return CiphertextBlob;
  }

  async #decrypt(person: string, use: Use, CiphertextBlob: Uint8Array): Promise<string> {
    const { Plaintext } = await this.#kms.send(
      new DecryptCommand({ KeyId: this.#options.keyArn, CiphertextBlob, EncryptionContext: { person, use } }),
    );
    return Buffer.from(Plaintext ?? []).toString('utf8');
  }
}

/** The link is another one, or none, by now: then there is nothing to do. */
async function ifStill(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
