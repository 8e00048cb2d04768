import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import {
  CurrentRow,
  currentKey,
  RELEASE_PREFIX,
  ReleaseRow,
  releaseKey,
  versionKey,
} from '@thingstead/contracts/firmware-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { Image, Page, Releases } from '../firmware/ports.ts';
import { isConditionFailed, throughConflicts } from './transaction-conflicts.ts';

/** `state` is a reserved word of DynamoDB. */
const STATE = { '#state': 'state' };

/** Releases in the firmware table, and which of them are current. */
export class ReleasesTable implements Releases {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(product: string, counter: number): Promise<ReleaseRow | undefined> {
    const item = await this.#get(releaseKey(product, counter));
    return item && parseRow(ReleaseRow, item, `release ${counter} of ${product}`);
  }

  async list(
    product: string,
    { before = Number.MAX_SAFE_INTEGER, limit }: { readonly before: number | undefined; readonly limit: number },
  ): Promise<Page<ReleaseRow>> {
    const { pk, sk } = releaseKey(product, Math.max(before - 1, 0));
    const { Items = [], LastEvaluatedKey } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :product AND sk BETWEEN :first AND :last',
        ExpressionAttributeValues: { ':product': pk, ':first': RELEASE_PREFIX, ':last': sk },
        ScanIndexForward: false,
        Limit: limit,
        ConsistentRead: true,
      }),
    );
    const rows = Items.map((item) => parseRow(ReleaseRow, item, `a release of ${product}`));
    return { rows, more: LastEvaluatedKey !== undefined };
  }

  create(row: ReleaseRow): Promise<boolean> {
    const { product, counter, version } = row.manifest;
    const unlessThere = { TableName: this.#table, ConditionExpression: 'attribute_not_exists(pk)' };
    return this.#transact([
      { Put: { ...unlessThere, Item: { ...releaseKey(product, counter), ...row } } },
      { Put: { ...unlessThere, Item: { ...versionKey(product, version), counter } } },
    ]);
  }

  async signAgain({
    release,
    manifest: { product, counter },
  }: Pick<ReleaseRow, 'release' | 'manifest'>): Promise<void> {
    await this.#update(product, counter, {
      UpdateExpression: 'SET #release.#signatures = :signatures',
      ConditionExpression: '#release.#document = :document',
      ExpressionAttributeNames: { '#release': 'release', '#signatures': 'signatures', '#document': 'document' },
      ExpressionAttributeValues: { ':signatures': release.signatures, ':document': release.document },
    });
  }

  publish(
    product: string,
    counter: number,
    { image, at }: { readonly image: Image; readonly at: number },
  ): Promise<boolean> {
    return this.#update(product, counter, {
      UpdateExpression: 'SET #state = :published, image = :image, changedAt = :at',
      ConditionExpression: '#state = :publishing',
      ExpressionAttributeValues: {
        ...{ ':published': 'PUBLISHED', ':publishing': 'PUBLISHING', ':at': at },
        ':image': { versionId: image.versionId, etag: image.etag },
      },
    });
  }

  yank(
    product: string,
    counter: number,
    { by, reason, at }: { readonly by: string; readonly reason: string; readonly at: number },
  ): Promise<boolean> {
    return this.#update(product, counter, {
      UpdateExpression: 'SET #state = :yanked, yankedBy = :by, reason = :reason, changedAt = :at',
      ConditionExpression: 'attribute_exists(pk) AND #state <> :yanked',
      ExpressionAttributeValues: { ':yanked': 'YANKED', ':by': by, ':reason': reason, ':at': at },
    });
  }

  async current(product: string): Promise<CurrentRow | undefined> {
    const item = await this.#get(currentKey(product));
    return item && parseRow(CurrentRow, item, `the current release of ${product}`);
  }

  makeCurrent(row: CurrentRow): Promise<boolean> {
    const { product, counter } = row;
    const check = {
      TableName: this.#table,
      Key: releaseKey(product, counter),
      ConditionExpression: '#state = :published',
      ExpressionAttributeNames: STATE,
      ExpressionAttributeValues: { ':published': 'PUBLISHED' },
    };
    return this.#transact([
      { ConditionCheck: check },
      { Put: { TableName: this.#table, Item: { ...currentKey(product), ...row } } },
    ]);
  }

  async unsetCurrent(product: string, counter?: number): Promise<void> {
    const only = {
      ConditionExpression: '#counter = :counter',
      ExpressionAttributeNames: { '#counter': 'counter' },
      ExpressionAttributeValues: { ':counter': counter },
    };
    try {
      await this.#client.send(
        new DeleteCommand({ TableName: this.#table, Key: currentKey(product), ...(counter !== undefined && only) }),
      );
    } catch (error) {
      // Another one is current, or none.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async #get(Key: ReturnType<typeof currentKey>): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item;
  }

  /** False when a condition does not hold. */
  async #update(
    product: string,
    counter: number,
    update: Omit<UpdateCommandInput, 'TableName' | 'Key'>,
  ): Promise<boolean> {
    const Key = releaseKey(product, counter);
    try {
      await this.#client.send(
        new UpdateCommand({ TableName: this.#table, Key, ExpressionAttributeNames: STATE, ...update }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** False when a condition does not hold. */
  async #transact(
    TransactItems: ConstructorParameters<typeof TransactWriteCommand>[0]['TransactItems'],
  ): Promise<boolean> {
    try {
      await throughConflicts(() => this.#client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }
}
