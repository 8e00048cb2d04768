import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { FirmwareDeviceRow, firmwareDeviceKey, type RolloutDeviceRow } from '@thingstead/contracts/rollout-store';
import { parseRow } from '@thingstead/contracts/validate';
import type { LateOffer, OfferChange, Offers } from '../rollouts/ports.ts';
import { batchGet } from './batch-get.ts';
import { definedMembers } from './defined-members.ts';

type Update = NonNullable<NonNullable<TransactWriteCommandInput['TransactItems']>[number]['Update']>;

/** Members that say what became of an offer without a rollout. */
const OUTCOME = ['said', 'failure', 'reason'] as const;

/** What each device is offered, in the firmware table. */
export class OffersTable implements Offers {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(thing: string): Promise<FirmwareDeviceRow | undefined> {
    const get = { TableName: this.#table, Key: firmwareDeviceKey(thing), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetCommand(get));
    return Item && parseRow(FirmwareDeviceRow, Item, `the firmware of ${thing}`);
  }

  async readAll(things: readonly string[]): Promise<ReadonlyMap<string, FirmwareDeviceRow>> {
    const keys = things.map((thing) => ({ ...firmwareDeviceKey(thing) }));
    const byKey = new Map(keys.map(({ pk }, at) => [pk, things[at] ?? '']));
    const items = await batchGet(this.#client, this.#table, keys, { ConsistentRead: true });
    return new Map(
      items.map(({ pk, ...item }) => [
        byKey.get(String(pk)) ?? '',
        parseRow(FirmwareDeviceRow, item, `the firmware of ${pk}`),
      ]),
    );
  }

  offerLate({ thing, attempt, release, at }: LateOffer, abandonedBefore: number): Promise<boolean> {
    const { product, version, counter, size } = release;
    const members = { attempt, product, version, counter, size, state: 'OFFERED', offeredAt: at };
    const free = freeUnless(undefined, abandonedBefore);
    return this.#update(replacing(this.#table, thing, members, ['rollout', 'order', ...OUTCOME], free));
  }

  recordLate(
    thing: string,
    attempt: string,
    { ended, ...said }: Parameters<Offers['recordLate']>[2],
  ): Promise<boolean> {
    const members = { ...definedMembers(said), ...(ended && { state: 'ENDED' }) };
    const condition = {
      is: '#attempt = :attempt AND attribute_not_exists(rollout)',
      names: { '#attempt': 'attempt' },
      values: { ':attempt': attempt },
    };
    return this.#update(replacing(this.#table, thing, members, [], condition));
  }

  /** False when the condition does not hold. */
  async #update(update: Update): Promise<boolean> {
    try {
      await this.#client.send(new UpdateCommand(update));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

/** How the offer of a device changes with its row in a rollout, in the same transaction. */
export function offerUpdate(table: string, device: RolloutDeviceRow, change: OfferChange): { readonly Update: Update } {
  const { thing, attempt, rollout, order, changedAt } = device;
  if ('state' in change) {
    const condition = {
      is: '#attempt = :attempt',
      names: { '#attempt': 'attempt' },
      values: { ':attempt': attempt },
    };
    return { Update: replacing(table, thing, { state: change.state }, [], condition) };
  }
  const { product, version, counter, size } = change.take;
  const offer = { attempt, rollout, order, product, version, counter, size, state: 'OFFERED', offeredAt: changedAt };
  const free = freeUnless(change.previous, change.abandonedBefore);
  const condition = {
    is: `(${free.is}) AND (attribute_not_exists(running) OR running.#counter < :counter)`,
    names: free.names,
    values: free.values,
  };
  return { Update: replacing(table, thing, offer, OUTCOME, condition) };
}

interface Condition {
  readonly is: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Nothing is offered, or nothing that holds it; or it is the attempt before. */
function freeUnless(previous: string | undefined, abandonedBefore: number): Condition {
  const own = previous === undefined ? '' : ' OR #attempt = :previous';
  return {
    is: `attribute_not_exists(#state) OR #state <> :offered OR (attribute_not_exists(rollout) AND offeredAt < :abandoned)${own}`,
    names: { '#state': 'state', ...(previous !== undefined && { '#attempt': 'attempt' }) },
    values: {
      ...{ ':offered': 'OFFERED', ':abandoned': abandonedBefore },
      ...(previous !== undefined && { ':previous': previous }),
    },
  };
}

/** Many of the names are reserved words of DynamoDB. */
function replacing(
  TableName: string,
  thing: string,
  members: Readonly<Record<string, unknown>>,
  removed: readonly string[],
  { is, names, values }: Condition,
): Update {
  const set = Object.keys(members).map((name) => `#${name} = :${name}`);
  const remove = removed.map((name) => `#${name}`);
  return {
    TableName,
    Key: firmwareDeviceKey(thing),
    UpdateExpression: `SET ${set.join(', ')}${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`,
    ConditionExpression: is,
    ExpressionAttributeNames: {
      ...Object.fromEntries([...Object.keys(members), ...removed].map((name) => [`#${name}`, name])),
      ...names,
    },
    ExpressionAttributeValues: {
      ...Object.fromEntries(Object.entries(members).map(([name, value]) => [`:${name}`, value])),
      ...values,
    },
  };
}
