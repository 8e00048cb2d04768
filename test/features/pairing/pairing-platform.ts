/** A platform with a CA, on which devices join and people pair with them. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { type GrantTarget, grantKey, ownerKey } from '@thingstead/contracts/grants';
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import type { Row } from '../../support/platform-stores.ts';
import { unique } from '../../support/unique-name.ts';
import { type PairingDevice, pairingDevice } from './pairing-device.ts';

export type PairingPlatform = Awaited<ReturnType<typeof startPairingPlatform>>;

export async function startPairingPlatform() {
  return pairingPlatform(await startPlatform());
}

/** One that is there already. */
export async function pairingPlatform(platform: Platform) {
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(platform.config));
  const ca = await createCa(unique('pairing'));
  await platform.registerCa(ca);

  async function accessRow(Key: { readonly pk: string; readonly sk: string }): Promise<Row | undefined> {
    return (await tables.send(new GetCommand({ TableName: TABLE_NAMES.access, Key, ConsistentRead: true }))).Item;
  }

  async function joined(name: string): Promise<DeviceCertificate> {
    const certificate = await issue(ca, unique(name));
    await platform.join(certificate);
    return certificate;
  }

  async function device(name: string): Promise<PairingDevice> {
    return pairingDevice(platform, await joined(name));
  }

  return {
    platform,
    tables,
    ca,
    accessRow,
    ownerOf: async (target: GrantTarget): Promise<unknown> => (await accessRow(ownerKey(target)))?.person,
    grantOf: (person: string, target: GrantTarget): Promise<Row | undefined> => accessRow(grantKey(person, target)),
    person: (groups?: readonly ('operator' | 'support')[]): Promise<Person> =>
      newPerson(platform, groups === undefined ? {} : { groups }),
    joined,
    /** Joined and connected. */
    device,
    /** A thing and its new owner. */
    async paired(name: string, owner: Person): Promise<PairingDevice> {
      const each = await device(name);
      const { status, body } = await owner.call('POST', '/pairings', { code: await each.code() });
      if (status !== 201) throw new Error(`POST /pairings answered ${status}: ${JSON.stringify(body)}`);
      return each;
    },
    /** Has `guest` accept an invitation of `owner`. */
    async share(owner: Person, path: string, guest: Person, invitation: object): Promise<void> {
      const { body } = await owner.call('POST', `${path}/invitations`, invitation);
      const accepted = await guest.call('POST', '/invitations', { token: body.token });
      if (accepted.status !== 201) throw new Error(`not accepted: ${JSON.stringify(accepted.body)}`);
    },
  };
}
