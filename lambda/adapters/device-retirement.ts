import {
  type IoTClient,
  paginateListThingPrincipals,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import {
  DeleteConnectionCommand,
  type IoTDataPlaneClient,
  ResourceNotFoundException as NoConnection,
} from '@aws-sdk/client-iot-data-plane';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { RotationRecord, revokedCertificateKey, rotationKey } from '@thingstead/contracts/registration';
import { parseRow } from '@thingstead/contracts/validate';
import type { Devices } from '../pairing/ports.ts';
import { found } from './iot-registry.ts';

interface Clients {
  readonly iot: IoTClient;
  readonly data: IoTDataPlaneClient;
  readonly tables: DynamoDBDocumentClient;
  readonly registrationTable: string;
}

/** Takes devices out of service: their certificates, the list of the revoked, their connections. */
export class DeviceRetirement implements Devices {
  readonly #clients: Clients;

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  async certificates(thingName: string): Promise<readonly string[] | undefined> {
    const ids: string[] = [];
    try {
      for await (const { principals = [] } of paginateListThingPrincipals(
        { client: this.#clients.iot },
        { thingName },
      )) {
        ids.push(...principals.flatMap((arn) => /:cert\/([0-9a-f]{64})$/.exec(arn)?.[1] ?? []));
      }
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
    return ids;
  }

  async nextCertificate(thing: string): Promise<string | undefined> {
    const { tables, registrationTable: TableName } = this.#clients;
    const pk = rotationKey(thing);
    const { Item } = await tables.send(new GetCommand({ TableName, Key: { pk }, ConsistentRead: true }));
    return Item && parseRow(RotationRecord, Item, pk).certificateId;
  }

  async forbid(certificateId: string, revokedAt: number): Promise<void> {
    const { tables, registrationTable: TableName } = this.#clients;
    const Item = { pk: revokedCertificateKey(certificateId), revokedAt, reason: 'decommissioned' };
    await tables.send(new PutCommand({ TableName, Item }));
  }

  async revoke(certificateId: string): Promise<void> {
    await found(this.#clients.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' })));
  }

  async disconnect(clientId: string): Promise<void> {
    try {
      await this.#clients.data.send(new DeleteConnectionCommand({ clientId, cleanSession: true }));
    } catch (error) {
      if (!(error instanceof NoConnection)) throw error;
    }
  }
}
