/** What the operator writes and reads of the renewals of certificates, in the registration table. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, paginateQuery, paginateScan } from '@aws-sdk/lib-dynamodb';
import {
  ISSUER_KEY,
  IssuerRow,
  type OpenRequest,
  RenewalRow,
  renewalKey,
} from '@thingstead/contracts/certificate-store';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { CLAIMS_BY_EXPIRY, claimKey } from '@thingstead/contracts/registration';
import { parseRow } from '@thingstead/contracts/validate';
import type { Cloud } from './cloud.ts';
import { CommandError } from './command-error.ts';

const TableName = TABLE_NAMES.registration;
/** A device may ask at the same moment. */
const MAX_ATTEMPTS = 5;

/** Requests for which there is no certificate yet, by reading the whole table: for people, not for programs that run often. */
export async function listPending({ tables }: Cloud): Promise<readonly { thing: string; request: OpenRequest }[]> {
  const pending: { thing: string; request: OpenRequest }[] = [];
  const pages = paginateScan(
    { client: tables },
    {
      TableName,
      FilterExpression: 'begins_with(pk, :prefix)',
      ExpressionAttributeValues: { ':prefix': renewalKey('') },
      ConsistentRead: true,
    },
  );
  for await (const { Items = [] } of pages) {
    for (const item of Items) {
      const { thing, requests } = parseRow(RenewalRow, item, String(item.pk));
      // A device that has lost its key has asked anew: only the newest is waited for.
      const request = requests.at(-1);
      if (request && !request.issued) pending.push({ thing, request });
    }
  }
  return pending.toSorted((a, b) => a.thing.localeCompare(b.thing));
}

/** Puts a certificate to its request. False when nobody waits for it any more. */
export async function putIssued(
  cloud: Cloud,
  thing: string,
  keyHash: string,
  issued: NonNullable<OpenRequest['issued']>,
): Promise<boolean> {
  let isWaiting = false;
  await changeRenewal(cloud, thing, (row) => {
    isWaiting = row.requests.some((each) => each.keyHash === keyHash && !each.issued);
    const requests = row.requests.map((each) => (each.keyHash === keyHash ? { ...each, issued } : each));
    return isWaiting ? { ...row, requests } : undefined;
  });
  return isWaiting;
}

/** From now on a certificate that the thing had before may be renewed, whenever it expires. */
export function putWanted(cloud: Cloud, thing: string, wantedAt: number): Promise<void> {
  return changeRenewal(cloud, thing, (row) => ({ ...row, wantedAt }));
}

/** @param change gives the new row, or undefined to leave the one there is. It may be called more than once. */
async function changeRenewal(
  { tables }: Cloud,
  thing: string,
  change: (row: RenewalRow) => RenewalRow | undefined,
): Promise<void> {
  const pk = renewalKey(thing);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { Item } = await tables.send(new GetCommand({ TableName, Key: { pk }, ConsistentRead: true }));
    const before = Item
      ? parseRow(RenewalRow, Item, pk)
      : { thing, version: 0, requests: [], asked: 0, windowEndsAt: 0 };
    const after = change(before);
    if (!after) return;
    const condition =
      before.version === 0
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'version = :version', ExpressionAttributeValues: { ':version': before.version } };
    try {
      const row = { pk, ...after, version: before.version + 1 };
      await tables.send(new PutCommand({ TableName, Item: row, ...condition }));
      return;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
  throw new CommandError('conflict', `"${thing}" asks for a certificate at this moment; try again.`);
}

/** Things whose certificate expires on this day, `2027-05-03`. */
export async function thingsExpiringOn({ tables }: Cloud, day: string): Promise<readonly string[]> {
  const things: string[] = [];
  const pages = paginateQuery(
    { client: tables },
    {
      TableName,
      IndexName: CLAIMS_BY_EXPIRY,
      KeyConditionExpression: 'expiresOn = :day',
      ExpressionAttributeValues: { ':day': day },
    },
  );
  for await (const { Items = [] } of pages) {
    things.push(...Items.map(({ pk }) => String(pk).slice(claimKey('').length)));
  }
  return things;
}

export async function getIssuer({ tables }: Cloud): Promise<IssuerRow | undefined> {
  const { Item } = await tables.send(new GetCommand({ TableName, Key: { pk: ISSUER_KEY }, ConsistentRead: true }));
  return Item && parseRow(IssuerRow, Item, ISSUER_KEY);
}

/** Certificates are signed in the name of this CA from now on. */
export async function putIssuer({ tables }: Cloud, issuer: IssuerRow): Promise<void> {
  await tables.send(new PutCommand({ TableName, Item: { pk: ISSUER_KEY, ...issuer } }));
}
