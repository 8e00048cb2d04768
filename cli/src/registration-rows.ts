/** What the operator writes into and reads from the registration table. */
import { DeleteCommand, GetCommand, PutCommand, paginateScan } from '@aws-sdk/lib-dynamodb';
import { renewalKey } from '@thingstead/contracts/certificate-store';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import {
  claimKey,
  HeldCertificate,
  heldKey,
  ManifestEntry,
  manifestKey,
  revokedCertificateKey,
  rotationKey,
} from '@thingstead/contracts/registration';
import { parseRow, validate } from '@thingstead/contracts/validate';
import type { Cloud } from './cloud.ts';
import { CommandError } from './command-error.ts';

const TableName = TABLE_NAMES.registration;

/** Adds or replaces an entry. @throws CommandError (usage) that says what is wrong with it. */
export async function putManifestEntry({ tables }: Cloud, entry: ManifestEntry): Promise<void> {
  const checked = validate(ManifestEntry, entry);
  if (!checked.ok) throw new CommandError('usage', `The entry of "${entry.thing}" is not good: ${checked.reason}`);
  await tables.send(new PutCommand({ TableName, Item: { pk: manifestKey(entry.thing), ...checked.value } }));
}

export async function getManifestEntry({ tables }: Cloud, thing: string): Promise<ManifestEntry | undefined> {
  const { Item } = await tables.send(
    new GetCommand({ TableName, Key: { pk: manifestKey(thing) }, ConsistentRead: true }),
  );
  return Item && parseRow(ManifestEntry, Item, manifestKey(thing));
}

/** The whole manifest, by reading the whole table: for people, not for programs that run often. */
export async function listManifest(cloud: Cloud): Promise<readonly ManifestEntry[]> {
  const rows = await scan(cloud, manifestKey(''));
  return rows
    .map((row) => parseRow(ManifestEntry, row, String(row.pk)))
    .toSorted((a, b) => a.thing.localeCompare(b.thing));
}

/** Certificates that were not activated, with the reason. */
export async function listHeld(cloud: Cloud): Promise<readonly HeldCertificate[]> {
  const rows = await scan(cloud, heldKey(''));
  return rows.map((row) => parseRow(HeldCertificate, row, String(row.pk)));
}

/** Puts a certificate on the revocation list: from now on its registration is refused. */
export async function putRevocation(
  { tables }: Cloud,
  certificateId: string,
  now: number,
  reason?: string,
): Promise<void> {
  const Item = {
    pk: revokedCertificateKey(certificateId),
    revokedAt: now,
    ...(reason === undefined ? {} : { reason }),
  };
  await tables.send(new PutCommand({ TableName, Item }));
}

/** Takes away what the table knows of a thing, so that another certificate may have its name. Revocations stay. */
export async function deleteThingRows(
  { tables }: Cloud,
  thing: string,
  certificateIds: readonly string[],
): Promise<void> {
  const rows = [manifestKey(thing), claimKey(thing), rotationKey(thing), renewalKey(thing)];
  for (const pk of [...rows, ...certificateIds.map(heldKey)]) {
    await tables.send(new DeleteCommand({ TableName, Key: { pk } }));
  }
}

async function scan({ tables }: Cloud, prefix: string): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  const pages = paginateScan(
    { client: tables },
    {
      TableName,
      FilterExpression: 'begins_with(pk, :prefix)',
      ExpressionAttributeValues: { ':prefix': prefix },
      ConsistentRead: true,
    },
  );
  for await (const page of pages) rows.push(...(page.Items ?? []));
  return rows;
}
