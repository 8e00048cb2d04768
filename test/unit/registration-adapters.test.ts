/** The registration table and the registry of AWS IoT as the function uses them, on the local runtime. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreatePolicyCommand,
  CreateThingTypeCommand,
  IoTClient,
  RegisterCertificateWithoutCACommand,
} from '@aws-sdk/client-iot';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import {
  claimKey,
  HeldCertificate,
  heldKey,
  manifestKey,
  revokedCertificateKey,
  revokedSerialKey,
  rotationKey,
} from '@thingstead/contracts/registration';
import { parseRow } from '@thingstead/contracts/validate';
import { IotRegistry } from '../../lambda/adapters/iot-registry.ts';
import { RegistrationTable } from '../../lambda/adapters/registration-table.ts';
import { createCa, issue } from '../support/certificates.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const TableName = 'registration';
const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
let runtime: Runtime;
let client: DynamoDBDocumentClient;
let iot: IoTClient;
let table: RegistrationTable;
let registry: IotRegistry;

beforeAll(async () => {
  runtime = await startRuntime();
  client = DynamoDBDocumentClient.from(new DynamoDBClient(runtime.config), {
    marshallOptions: { removeUndefinedValues: true },
  });
  iot = new IoTClient(runtime.config);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  table = new RegistrationTable(client, TableName);
  registry = new IotRegistry(iot, 'everyone');
});
afterAll(() => runtime.stop());

async function put(pk: string, row: object = {}): Promise<void> {
  await client.send(new PutCommand({ TableName, Item: { pk, ...row } }));
}

describe('the registration table', () => {
  it('gives a name to one of many that ask at the same time, and to that one as often as it asks', async () => {
    const ids = Array.from({ length: 10 }, (_, n) => String(n).repeat(64));
    const claimed = await Promise.all(
      ids.map((certificateId) =>
        table.claim({ thing: 'raced', certificateId, claimedAt: 1, notAfter: 86_400_000 }, { replace: false }),
      ),
    );
    expect(claimed.filter(Boolean)).toHaveLength(1);

    const winner = ids[claimed.indexOf(true)] ?? '';
    expect(await table.claimant('raced')).toBe(winner);
    expect(
      await table.claim(
        { thing: 'raced', certificateId: winner, claimedAt: 2, notAfter: 86_400_000 },
        { replace: false },
      ),
    ).toBe(true);
    expect(
      await table.claim({ thing: 'raced', certificateId: A, claimedAt: 3, notAfter: 86_400_000 }, { replace: false }),
    ).toBe(false);
    expect(
      await table.claim({ thing: 'raced', certificateId: A, claimedAt: 4, notAfter: 86_400_000 }, { replace: true }),
    ).toBe(true);
    expect(await table.claimant('raced')).toBe(A);
  });

  it('knows a revoked certificate by its id and by its serial number, however that is written', async () => {
    await put(revokedCertificateKey(A));
    await put(revokedSerialKey(B, '00:0A:bc'));
    const revoked = (certificateId: string, serialNumber: string) =>
      table.isRevoked({ certificateId, caCertificateId: B, serialNumber });

    expect(await revoked(A, '77')).toBe(true);
    expect(await revoked(B, '0ABC')).toBe(true);
    expect(await revoked(B, 'ABC0')).toBe(false);
    expect(revokedSerialKey(B, '00')).toBe(`revoked#${B}#0`);
  });

  it('tells a manifest entry from a damaged one and from none', async () => {
    await put(manifestKey('listed'), { thing: 'listed', addedAt: 1, thingType: 'pump' });
    await put(manifestKey('damaged'), { thing: 'damaged', addedAt: 1, certificateId: 'short' });

    expect(await table.manifestEntry('listed')).toEqual({ thing: 'listed', addedAt: 1, thingType: 'pump' });
    expect(await table.manifestEntry('damaged')).toBe('invalid');
    expect(await table.manifestEntry('unlisted')).toBeUndefined();
  });

  it('knows the next certificate of a thing, and says which row it cannot read', async () => {
    await put(rotationKey('rotating'), { thing: 'rotating', certificateId: B, requestedAt: 1 });
    await put(claimKey('damaged'), { thing: 'damaged' });

    expect(await table.nextCertificate('rotating')).toBe(B);
    expect(await table.nextCertificate('other')).toBeUndefined();
    await expect(table.claimant('damaged')).rejects.toThrow('claim#damaged cannot be read: certificateId');
  });

  it('counts how often a certificate was refused, and keeps when first', async () => {
    const refusal = { certificateId: A, caCertificateId: B, thing: undefined, at: 100 };
    await table.hold({ ...refusal, reason: 'name-invalid' });
    await table.hold({ ...refusal, reason: 'expired', thing: 'late', at: 200 });
    const read = async () => (await client.send(new GetCommand({ TableName, Key: { pk: heldKey(A) } }))).Item;

    expect(parseRow(HeldCertificate, await read(), 'held')).toEqual({
      certificateId: A,
      caCertificateId: B,
      thing: 'late',
      reason: 'expired',
      firstSeenAt: 100,
      lastSeenAt: 200,
      count: 2,
    });
    await table.release(A);
    await table.release(A);
    expect(await read()).toBeUndefined();
  });
});

describe('the registry', () => {
  it('finds nothing where there is nothing', async () => {
    expect(await registry.certificate(A)).toBeUndefined();
    expect(await registry.authority(A)).toBeUndefined();
    expect(await registry.thing('nobody')).toBeUndefined();
    expect(await registry.principalsOf('nobody')).toEqual([]);
  });

  it('provisions a thing, each step as often as it is asked to', async () => {
    const { pem } = await issue(await createCa('alone'), 'whole');
    const { certificateId = '', certificateArn = '' } = await iot.send(
      new RegisterCertificateWithoutCACommand({ certificatePem: pem, status: 'INACTIVE' }),
    );
    const policyDocument =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}';
    await iot.send(new CreatePolicyCommand({ policyName: 'everyone', policyDocument }));
    for (const thingTypeName of ['pump', 'valve']) await iot.send(new CreateThingTypeCommand({ thingTypeName }));

    for (const _ of ['once', 'again']) {
      await registry.attachPolicy(certificateArn);
      await registry.createThing({ name: 'whole', type: 'pump', attributes: { a: '1' } });
      await registry.attachThing(certificateArn, 'whole');
      await registry.setStatus(certificateId, 'ACTIVE');
    }
    expect(await registry.createThing({ name: 'whole', type: 'valve', attributes: {} })).toBe(false);
    await registry.updateThing({ name: 'whole', type: 'valve', attributes: { b: '2' } });

    expect(await registry.certificate(certificateId)).toMatchObject({ status: 'ACTIVE', arn: certificateArn });
    expect(await registry.thing('whole')).toEqual({ name: 'whole', type: 'valve', attributes: { a: '1', b: '2' } });
    expect(await registry.principalsOf('whole')).toEqual([certificateArn]);
  });
});
