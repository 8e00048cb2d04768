import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateThingCommand,
  IoTClient,
  RegisterCACertificateCommand,
  RegisterCertificateWithoutCACommand,
} from '@aws-sdk/client-iot';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { DEVICE_POLICY_NAME, TABLE_NAMES } from '@thingstead/contracts/names';
import { manifestKey } from '@thingstead/contracts/registration';
import {
  type CertificateAuthority,
  createCa,
  createKeys,
  type DeviceCertificate,
  issue,
} from '../../test/support/certificates.ts';
import type { BenchRuntime } from './runtime.ts';

export interface Fleet {
  readonly ca: CertificateAuthority;
  readonly devices: readonly DeviceCertificate[];
}

interface FleetOptions {
  readonly sharedKeys?: boolean;
  /** The thing with this number, from 1. */
  readonly name?: (number: number) => string;
}

/** A CA and so many devices, each with a certificate of its own and, unless keys are shared, a key of its own. */
export async function createFleet(
  size: number,
  { sharedKeys = false, name = (number) => `bench-${number}` }: FleetOptions = {},
): Promise<Fleet> {
  const keys = sharedKeys ? await createKeys() : undefined;
  const ca = await createCa('Bench CA');
  const devices: DeviceCertificate[] = [];
  for (let number = 1; number <= size; number += 1) devices.push(await issue(ca, name(number), { keys }));
  return { ca, devices };
}

/** Puts the devices into the account as registration would: thing, certificate, policy, active. */
export async function activate({ devices }: Fleet, { config }: Pick<BenchRuntime, 'config'>): Promise<void> {
  const iot = new IoTClient(config);
  const waiting = [...devices];
  const worker = async (): Promise<void> => {
    for (let device = waiting.pop(); device; device = waiting.pop()) {
      const thingName = device.thing;
      await iot.send(new CreateThingCommand({ thingName }));
      const { certificateArn } = await iot.send(
        new RegisterCertificateWithoutCACommand({ certificatePem: device.pem, status: 'ACTIVE' }),
      );
      await iot.send(new AttachPolicyCommand({ policyName: DEVICE_POLICY_NAME, target: certificateArn }));
      await iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  iot.destroy();
}

/** Lets the fleet join: its CA is registered for just-in-time registration, and the manifest has its devices. */
export async function invite({ ca, devices }: Fleet, { config }: BenchRuntime): Promise<void> {
  const iot = new IoTClient(config);
  await iot.send(
    new RegisterCACertificateCommand({
      caCertificate: ca.pem,
      certificateMode: 'SNI_ONLY',
      setAsActive: true,
      allowAutoRegistration: true,
    }),
  );
  iot.destroy();
  const tables = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  for (const { thing } of devices) {
    const Item = { pk: manifestKey(thing), thing, addedAt: Date.now() };
    await tables.send(new PutCommand({ TableName: TABLE_NAMES.registration, Item }));
  }
  tables.destroy();
}
