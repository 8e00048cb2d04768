/** Just-in-time registration (https://docs.aws.amazon.com/iot/latest/developerguide/auto-register-device-cert.html). */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  DescribeCertificateCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  ListCertificatesByCACommand,
  RegisterCACertificateCommand,
  RegisterCertificateWithoutCACommand,
  UpdateCACertificateCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../support/certificates.ts';
import { type Runtime, startRuntime } from '../support/runtime.ts';

const DAY_MS = 86_400_000;
const EVERYTHING = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }],
});

let runtime: Runtime;
let iot: IoTClient;
let watcher: MqttClient;
const events: { topic: string; document: Record<string, unknown> }[] = [];
const clients: MqttClient[] = [];

beforeAll(async () => {
  runtime = await startRuntime();
  iot = new IoTClient(runtime.config);
  await iot.send(new CreatePolicyCommand({ policyName: 'everything', policyDocument: EVERYTHING }));
  const device = await issue(await createCa('watching'), 'watcher');
  const registration = { certificatePem: device.pem, status: 'ACTIVE' } as const;
  await iot.send(new RegisterCertificateWithoutCACommand(registration));
  await attachEverything(device);
  watcher = await connect(device);
  watcher.on('message', (topic, payload) => events.push({ topic, document: JSON.parse(payload.toString()) }));
  await watcher.subscribeAsync('$aws/events/certificates/registered/+', { qos: 1 });
});
afterAll(async () => {
  for (const client of clients) client.end(true);
  await runtime.stop();
});

async function attachEverything(device: DeviceCertificate): Promise<void> {
  const target = `arn:aws:iot:us-east-1:123456789012:cert/${device.certificateId}`;
  await iot.send(new AttachPolicyCommand({ policyName: 'everything', target }));
}

function options(device: DeviceCertificate, more: IClientOptions = {}): IClientOptions {
  const { host, port } = runtime.endpoints.mqtt;
  const ca = readFileSync(runtime.endpoints.rootCaFile);
  const { pem: cert, keyPem: key, thing: clientId } = device;
  return { protocol: 'mqtts', host, port, ca, cert, key, clientId, reconnectPeriod: 0, ...more };
}

/** Rejects when the connection closes before a CONNACK, which is how AWS refuses here. */
function connect(device: DeviceCertificate, more: IClientOptions = {}): Promise<MqttClient> {
  const client = mqtt.connect(options(device, more));
  clients.push(client);
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('error', reject);
    client.once('close', () => reject(new Error('closed before CONNACK')));
  });
}

async function refused(device: DeviceCertificate, more: IClientOptions = {}): Promise<void> {
  await expect(connect(device, more)).rejects.toThrow('closed before CONNACK');
}

async function status(device: DeviceCertificate): Promise<string | undefined> {
  try {
    const { certificateId } = device;
    const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId }));
    return certificateDescription?.status;
  } catch (error) {
    return (error as Error).name;
  }
}

/** Publishes without MQTT; gives the HTTP status. */
function publishOverHttps({ pem: cert, keyPem: key }: DeviceCertificate, servername = 'localhost'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { host, port } = runtime.endpoints.deviceHttps;
    const ca = readFileSync(runtime.endpoints.rootCaFile);
    const tls = { ca, cert, key, servername, checkServerIdentity: () => undefined };
    const outgoing = request({ method: 'POST', host, port, path: '/topics/a', agent: false, ...tls }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    outgoing.on('error', reject).end('x');
  });
}

/** Registers a CA in mode SNI_ONLY; gives its id. */
async function register(ca: CertificateAuthority, more: object = {}): Promise<string> {
  const { certificateId } = await iot.send(
    new RegisterCACertificateCommand({
      caCertificate: ca.pem,
      certificateMode: 'SNI_ONLY',
      setAsActive: true,
      allowAutoRegistration: true,
      ...more,
    }),
  );
  return String(certificateId);
}

/** What has been announced about this certificate so far. */
async function announced(device: DeviceCertificate): Promise<typeof events> {
  // The watcher's own round trip comes after everything that was sent to it before.
  await watcher.publishAsync('barrier', '', { qos: 1 });
  return events.filter(({ document }) => document.certificateId === device.certificateId);
}

test('a first connection registers, says so, and is closed; each further one says so again, until it is active', async () => {
  // GIVEN
  const ca = await createCa('joining');
  const caCertificateId = await register(ca);
  const device = await issue(ca, 'joiner');

  // WHEN
  await refused(device);
  await refused(device, { protocolVersion: 5 });

  // THEN
  expect(await status(device)).toBe('PENDING_ACTIVATION');
  const said = await announced(device);
  expect(said).toHaveLength(2);
  expect(said[0]).toEqual({
    topic: `$aws/events/certificates/registered/${caCertificateId}`,
    document: {
      certificateId: device.certificateId,
      caCertificateId,
      timestamp: expect.any(Number),
      certificateStatus: 'PENDING_ACTIVATION',
      awsAccountId: '123456789012',
      certificateRegistrationTimestamp: null,
    },
  });
  const { certificates } = await iot.send(new ListCertificatesByCACommand({ caCertificateId }));
  expect(certificates).toEqual([expect.objectContaining({ certificateId: device.certificateId })]);

  // WHEN
  await attachEverything(device);
  await iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'ACTIVE' }));
  const client = await connect(device);

  // THEN
  expect(client.connected).toBe(true);
  expect(await announced(device)).toHaveLength(2);
});

test('an active certificate without a policy is refused', async () => {
  const ca = await createCa('without policy');
  await register(ca);
  const device = await issue(ca, 'without-policy');
  await refused(device);
  await iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'ACTIVE' }));
  await refused(device);
});

test('a TLS handshake alone registers nothing', async () => {
  // GIVEN
  const ca = await createCa('handshake');
  await register(ca);
  const device = await issue(ca, 'handshake');
  // WHEN
  const { host, port } = runtime.endpoints.mqtt;
  const { cert, key, ca: root } = options(device) as Record<'cert' | 'key' | 'ca', string>;
  const socket = connectTls({ host, port, servername: 'localhost', cert, key, ca: root });
  await once(socket, 'secureConnect');
  socket.end();
  await once(socket, 'close');
  // THEN
  expect(await status(device)).toBe('ResourceNotFoundException');
});

test.each<[string, (ca: CertificateAuthority) => Promise<DeviceCertificate>]>([
  ['a CA of the same name with another key', async ({ name }) => issue(await createCa(name), 'same-name')],
  ['a CA that is not registered', async () => issue(await createCa('nobody'), 'nobody')],
  ['an expired certificate', (ca) => issue(ca, 'expired', { notAfter: new Date(Date.now() - DAY_MS / 2) })],
  ['a certificate of the future', (ca) => issue(ca, 'future', { notBefore: new Date(Date.now() + DAY_MS) })],
])('nothing is registered for %s', async (what, make) => {
  // GIVEN
  const ca = await createCa(`registered for ${what}`);
  await register(ca);
  const device = await make(ca);
  // WHEN
  await refused(device);
  // THEN
  expect(await status(device)).toBe('ResourceNotFoundException');
  expect(await announced(device)).toEqual([]);
});

test.each([
  ['status INACTIVE', { newStatus: 'INACTIVE' }],
  ['auto-registration DISABLE', { newAutoRegistrationStatus: 'DISABLE' }],
] as const)('nothing is registered for a CA with %s; what is active keeps working', async (what, change) => {
  // GIVEN
  const ca = await createCa(what);
  const certificateId = await register(ca);
  const [early, late] = [await issue(ca, 'early'), await issue(ca, 'late')];
  await refused(early);
  await attachEverything(early);
  await iot.send(new UpdateCertificateCommand({ certificateId: early.certificateId, newStatus: 'ACTIVE' }));
  // WHEN
  await iot.send(new UpdateCACertificateCommand({ certificateId, ...change }));
  await refused(late);
  // THEN
  expect(await status(late)).toBe('ResourceNotFoundException');
  expect((await connect(early)).connected).toBe(true);
});

test('SNI_ONLY needs the server name, DEFAULT does not', async () => {
  // GIVEN
  const [strict, lenient] = [await createCa('strict'), await createCa('lenient')];
  await register(strict);
  const { registrationCode = '' } = await iot.send(new GetRegistrationCodeCommand({}));
  const verificationCertificate = (await issue(lenient, registrationCode)).pem;
  await register(lenient, { certificateMode: 'DEFAULT', verificationCertificate });
  const [strictDevice, lenientDevice] = [await issue(strict, 'strict'), await issue(lenient, 'lenient')];
  // WHEN
  // Clients send no name when they connect to an address.
  const withoutName = { host: '127.0.0.1' };
  await refused(strictDevice, withoutName);
  await refused(lenientDevice, withoutName);
  // THEN
  expect(await status(strictDevice)).toBe('ResourceNotFoundException');
  expect(await status(lenientDevice)).toBe('PENDING_ACTIVATION');
});

test('SNI_ONLY needs the server name over HTTPS too', async () => {
  // GIVEN
  const device = await issue(await createCa('names'), 'names');
  await iot.send(new RegisterCertificateWithoutCACommand({ certificatePem: device.pem, status: 'ACTIVE' }));
  await attachEverything(device);
  // WHEN / THEN
  expect(await publishOverHttps(device, '')).toBe(403);
  expect(await publishOverHttps(device, 'elsewhere.example')).toBe(403);
  expect(await publishOverHttps(device)).toBe(200);
});

test.each(['INACTIVE', 'REVOKED'] as const)(
  'a certificate that becomes %s loses its connection and gets no other',
  async (newStatus) => {
    // GIVEN
    const ca = await createCa(`becomes ${newStatus}`);
    await register(ca);
    const device = await issue(ca, `becomes-${newStatus}`);
    await refused(device);
    await attachEverything(device);
    await iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'ACTIVE' }));
    const client = await connect(device);
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    // WHEN
    await iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus }));
    // THEN
    await closed;
    await refused(device);
    expect(await announced(device)).toHaveLength(1);
  },
);

// The last one: it moves the clock for all.
test('an active certificate is refused once it has expired in virtual time', async () => {
  // GIVEN
  const ca = await createCa('expiring');
  await register(ca);
  const device = await issue(ca, 'expiring', { notAfter: new Date(Date.now() + 3_600_000) });
  await refused(device);
  await attachEverything(device);
  await iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'ACTIVE' }));
  await (await connect(device)).endAsync();
  expect(await publishOverHttps(device)).toBe(200);
  // WHEN
  await runtime.advance(2 * 3600);
  // THEN
  await refused(device);
  expect(await publishOverHttps(device)).toBe(403);
});
