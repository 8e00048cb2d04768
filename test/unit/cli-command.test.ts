/** The operator's command as a process, without a cloud: what it makes on this machine, what it refuses, how it ends. */
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createCaPair, issueCertificate } from '../../cli/src/x509.ts';
import { describeWithTools } from '../support/tools.ts';

const root = path.resolve(__dirname, '../..');

function thingstead(cwd: string, ...args: readonly string[]) {
  const environment = {
    PATH: process.env.PATH,
    HOME: cwd,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: 'eu-central-1',
  };
  return spawnSync(process.execPath, [path.join(root, 'cli/bin/thingstead.mjs'), ...args], {
    cwd,
    encoding: 'utf8',
    env: environment,
  });
}

const tool = 'openssl';
const newFolder = (): string => mkdtempSync(path.join(tmpdir(), 'thingstead-cli-'));

describe('ca create', () => {
  it('makes a CA whose key nobody else can read, and tells where', () => {
    const folder = newFolder();
    const { status, stdout, stderr } = thingstead(folder, 'ca', 'create', '--name', 'field', '--json');

    expect(status).toBe(0);
    const made = JSON.parse(stdout);
    expect(statSync(path.join(folder, made.keyFile)).mode & 0o777).toBe(0o600);
    const certificate = new X509Certificate(readFileSync(path.join(folder, made.certificateFile)));
    expect(certificate).toMatchObject({ ca: true, subject: 'CN=field' });
    expect(made.certificateId).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(stderr).toContain('next: npx thingstead ca register --name field');
  });

  it('never overwrites a key', () => {
    const folder = newFolder();
    thingstead(folder, 'ca', 'create', '--name', 'field', '--dir', 'cas');
    const before = readFileSync(path.join(folder, 'cas/field/ca.key'), 'utf8');

    const { status, stderr } = thingstead(folder, 'ca', 'create', '--name', 'field', '--dir', 'cas');

    expect(status).toBe(5);
    expect(stderr).toMatch(/^error: .*ca\.key is already there and is never overwritten\.\n {2}cause: /);
    expect(readFileSync(path.join(folder, 'cas/field/ca.key'), 'utf8')).toBe(before);
  });

  it('refuses a name that leaves its folder', () => {
    expect(thingstead(newFolder(), 'ca', 'create', '--name', '../field').status).toBe(2);
  });
});

describe('exit codes', () => {
  it.each([
    ['help is fine', ['--help'], 0, ''],
    ['an unknown command', ['fly'], 2, "unknown command 'fly'"],
    ['a misspelt command', ['device', 'lst'], 2, '(Did you mean list?)'],
    ['a name that cannot be a thing', ['device', 'create', 'a b', '--ca', 'x'], 2, 'A thing name is 1 to 64 letters'],
    [
      'a CA that is not there',
      ['device', 'create', 'barn1', '--ca', 'x'],
      4,
      'next:  npx thingstead ca create --name x',
    ],
    ['no credentials', ['device', 'list'], 3, 'There are no AWS credentials.'],
    ['no local runtime', ['--local', 'device', 'list'], 1, 'next:  npm start'],
    [
      'a certificate that is none',
      ['device', 'revoke', '--certificate', 'nothing', '--yes'],
      2,
      'neither a certificate id nor a file',
    ],
  ])('%s', (_what, args, code, words) => {
    const { status, stderr } = thingstead(newFolder(), ...args);
    expect({ status, said: stderr.includes(words) }).toEqual({ status: code, said: true });
  });

  it('a local runtime that has gone without removing its endpoints file is not running', () => {
    const folder = newFolder();
    writeFileSync(
      path.join(folder, 'endpoints.json'),
      JSON.stringify({
        region: 'us-east-1',
        awsEndpoint: 'http://127.0.0.1:9',
        mqtt: { host: 'localhost', port: 9 },
        rootCaFile: 'x',
        operator: { accessKeyId: 'a', secretAccessKey: 'b' },
      }),
    );
    const { status, stderr } = thingstead(folder, '--endpoints', 'endpoints.json', 'device', 'list');
    expect(status).toBe(1);
    expect(stderr).toContain('The local runtime is not running.');
  });

  it('shows a stack only when asked', () => {
    const folder = newFolder();
    expect(thingstead(folder, '--local', 'ca', 'list').stderr).not.toContain('    at ');
    expect(thingstead(folder, '--local', 'ca', 'list', '--debug').stderr).toContain('    at ');
  });
});

describeWithTools([tool], "openssl's opinion", () => {
  it('is that a device certificate is good for TLS as a client, and no CA', async () => {
    // GIVEN
    const folder = newFolder();
    const now = Date.now();
    const ca = await createCaPair('field', 30, now);
    const device = await issueCertificate(ca, 'barn1', 365, now);
    for (const [name, text] of Object.entries({
      'ca.crt': ca.certificate,
      'd.crt': device.certificate,
      'd.key': device.privateKey,
    })) {
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    }
    const openssl = (...args: readonly string[]) => spawnSync(tool, args, { cwd: folder, encoding: 'utf8' });

    // WHEN
    const verified = openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', 'ca.crt', 'd.crt');
    const asServer = openssl('verify', '-purpose', 'sslserver', '-CAfile', 'ca.crt', 'd.crt');
    const key = openssl('pkey', '-in', 'd.key', '-pubout').stdout;
    const text = openssl('x509', '-in', 'd.crt', '-noout', '-subject', '-pubkey').stdout;

    // THEN
    expect(verified.stdout).toContain('d.crt: OK');
    expect(asServer.status).not.toBe(0);
    expect(text).toContain('CN = barn1');
    expect(text).toContain(key);
    // No longer than its CA.
    expect(new X509Certificate(device.certificate).validToDate).toEqual(
      new X509Certificate(ca.certificate).validToDate,
    );
  });
});
