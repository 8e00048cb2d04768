import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  claimKey,
  expiryDay,
  heldKey,
  IdentityClaim,
  ManifestEntry,
  manifestKey,
  RotationRecord,
  revokedCertificateKey,
  revokedSerialKey,
  rotationKey,
} from '@thingstead/contracts/registration';
import { parseRow, validate } from '@thingstead/contracts/validate';
import type { Claim, Records, Refusal } from '../registration/ports.ts';

/** The registration table in DynamoDB. */
export class RegistrationTable implements Records {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async manifestEntry(thing: string): Promise<ManifestEntry | 'invalid' | undefined> {
    const row = await this.#get(manifestKey(thing));
    if (!row) return undefined;
    const entry = validate(ManifestEntry, row);
    return entry.ok ? entry.value : 'invalid';
  }

  async nextCertificate(thing: string): Promise<string | undefined> {
    const key = rotationKey(thing);
    const row = await this.#get(key);
    return row && parseRow(RotationRecord, row, key).certificateId;
  }

  async isRevoked(certificate: {
    certificateId: string;
    caCertificateId: string;
    serialNumber: string;
  }): Promise<boolean> {
    const { certificateId, caCertificateId, serialNumber } = certificate;
    const rows = await Promise.all([
      this.#get(revokedCertificateKey(certificateId)),
      this.#get(revokedSerialKey(caCertificateId, serialNumber)),
    ]);
    // The key alone revokes: a row that is damaged otherwise must not let anybody in.
    return rows.some((row) => row !== undefined);
  }

  async claimant(thing: string): Promise<string | undefined> {
    const key = claimKey(thing);
    const row = await this.#get(key);
    return row && parseRow(IdentityClaim, row, key).certificateId;
  }

  async claim(claim: Claim, { replace }: { readonly replace: boolean }): Promise<boolean> {
    const free = {
      ConditionExpression: 'attribute_not_exists(pk) OR certificateId = :certificateId',
      ExpressionAttributeValues: { ':certificateId': claim.certificateId },
    };
    const Item = { pk: claimKey(claim.thing), ...claim, expiresOn: expiryDay(claim.notAfter) };
    try {
      await this.#client.send(new PutCommand({ TableName: this.#table, Item, ...(replace ? {} : free) }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async hold({ certificateId, caCertificateId, thing, reason, at }: Refusal): Promise<void> {
    const values = { certificateId, caCertificateId, thing, reason, lastSeenAt: at };
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: { pk: heldKey(certificateId) },
        UpdateExpression: [
          `SET ${given.map(([name]) => `#${name} = :${name}`).join(', ')}, firstSeenAt = if_not_exists(firstSeenAt, :lastSeenAt)`,
          'ADD #count :one',
        ].join(' '),
        // Some of these names are reserved words of DynamoDB.
        ExpressionAttributeNames: {
          '#count': 'count',
          ...Object.fromEntries(given.map(([name]) => [`#${name}`, name])),
        },
        ExpressionAttributeValues: {
          ':one': 1,
          ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
        },
      }),
    );
  }

  async release(certificateId: string): Promise<void> {
    await this.#client.send(new DeleteCommand({ TableName: this.#table, Key: { pk: heldKey(certificateId) } }));
  }

  async #get(pk: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: { pk }, ConsistentRead: true }),
    );
    return Item;
  }
}
