/** With which pair an agent starts: what it got last from the cloud, as long as that is of the kind that the configuration names. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../device/src/config.ts';
import { loadIdentity } from '../../device/src/identity.ts';
import {
  type CertificateAuthority,
  createCa,
  createKeys,
  type DeviceCertificate,
  issue,
} from '../support/certificates.ts';

type DeviceKeys = Awaited<ReturnType<typeof createKeys>>;

const THING = 'barn-sensor1';
const DAY_MS = 86_400_000;
let ca: CertificateAuthority;
let keys: DeviceKeys;
let first: DeviceCertificate;
let folder: string;

beforeAll(async () => {
  ca = await createCa('factory');
  keys = await createKeys();
  first = await issue(ca, THING, { keys });
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-identity-'));
  writeFileSync(path.join(folder, 'device.crt'), first.pem);
  writeFileSync(path.join(folder, 'device.key'), first.keyPem, { mode: 0o600 });
  writeFileSync(path.join(folder, 'pin'), '1234', { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const IN_FILE = { privateKeyFile: 'device.key' };
const IN_TOKEN = { pkcs11: { library: '/lib/token.so', pinFile: 'pin' } };

/** The certificate with which an agent starts that has kept this pair. */
function startsWith(key: object, kept: { readonly certificate: string; readonly key?: string }): string {
  const store = path.join(folder, 'state', THING, 'certificate');
  mkdirSync(store, { recursive: true });
  writeFileSync(path.join(store, 'current.key'), JSON.stringify(kept), { mode: 0o600 });
  const config = { thing: THING, endpoint: { host: 'localhost' }, certificateFile: 'device.crt', sensors: [], ...key };
  writeFileSync(path.join(folder, 'agent.json'), JSON.stringify(config));
  return loadIdentity(loadConfig(path.join(folder, 'agent.json'))).certificate;
}

/** Issued after the first one; with the same key, or with one of its own. */
function next(keys?: DeviceKeys): Promise<DeviceCertificate> {
  const dates = { notBefore: new Date(Date.now() + 1000), notAfter: new Date(Date.now() + DAY_MS) };
  return issue(ca, THING, { ...dates, keys });
}

it('takes a pair that was renewed, or another certificate of the key in the token', async () => {
  const { pem: other, keyPem: key } = await next();
  expect(startsWith(IN_FILE, { certificate: other, key })).toBe(other);

  const { pem: same } = await next(keys);
  expect(startsWith(IN_TOKEN, { certificate: same })).toBe(same);
});

it('passes over what is for another key than the one in the token', async () => {
  const { pem: certificate } = await next();
  expect(startsWith(IN_TOKEN, { certificate })).toBe(first.pem);
});

it('takes no key of a file when it is to be in a token, and the other way round', async () => {
  const { pem: certificate, keyPem: key } = await next(keys);

  expect(startsWith(IN_TOKEN, { certificate, key })).toBe(first.pem);
  expect(startsWith(IN_FILE, { certificate })).toBe(first.pem);
});
