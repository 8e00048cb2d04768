import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { ISSUER_KEY, IssuerRow, RenewalRow, renewalKey } from '@thingstead/contracts/certificate-store';
import { claimKey, IdentityClaim, type RotationRecord, rotationKey } from '@thingstead/contracts/registration';
import { parseRow } from '@thingstead/contracts/validate';
import type { Records } from '../certificate-renewals/ports.ts';
import { RegistrationTable } from './registration-table.ts';

/** Renewals in the registration table in DynamoDB. */
export class RenewalsTable implements Records {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #registration: RegistrationTable;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
    this.#registration = new RegistrationTable(client, table);
  }

  claim(thing: string): Promise<IdentityClaim | undefined> {
    return this.#read(claimKey(thing), IdentityClaim);
  }

  moveClaim(from: string, to: IdentityClaim): Promise<boolean> {
    return this.#put(claimKey(to.thing), to, {
      ConditionExpression: 'certificateId = :from',
      ExpressionAttributeValues: { ':from': from },
    });
  }

  renewal(thing: string): Promise<RenewalRow | undefined> {
    return this.#read(renewalKey(thing), RenewalRow);
  }

  putRenewal(row: RenewalRow): Promise<boolean> {
    const next = { ...row, version: row.version + 1 };
    if (row.version === 0) {
      return this.#put(renewalKey(row.thing), next, { ConditionExpression: 'attribute_not_exists(pk)' });
    }
    return this.#put(renewalKey(row.thing), next, {
      ConditionExpression: 'version = :version',
      ExpressionAttributeValues: { ':version': row.version },
    });
  }

  async announce(rotation: RotationRecord): Promise<void> {
    await this.#put(rotationKey(rotation.thing), rotation, {});
  }

  issuer(): Promise<IssuerRow | undefined> {
    return this.#read(ISSUER_KEY, IssuerRow);
  }

  isRevoked(certificate: { certificateId: string; caCertificateId: string; serialNumber: string }): Promise<boolean> {
    return this.#registration.isRevoked(certificate);
  }

  async #read<Schema extends Parameters<typeof parseRow>[0]>(
    pk: string,
    schema: Schema,
  ): Promise<ReturnType<typeof parseRow<Schema>> | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: { pk }, ConsistentRead: true }),
    );
    return Item && parseRow(schema, Item, pk);
  }

  /** False when the condition does not hold. */
  async #put(
    pk: string,
    row: object,
    condition: { ConditionExpression?: string; ExpressionAttributeValues?: Record<string, unknown> },
  ): Promise<boolean> {
    try {
      await this.#client.send(new PutCommand({ TableName: this.#table, Item: { pk, ...row }, ...condition }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
