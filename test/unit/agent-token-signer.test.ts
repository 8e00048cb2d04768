/** Signatures by a key in a PKCS#11 token, through the real `pkcs11-tool` and SoftHSM 2. */
import { spawnSync } from 'node:child_process';
import { type KeyObject, verify, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { TokenSigner } from '../../device/src/certificates/token-signer.ts';
import { systemClock } from '../../device/src/clock.ts';
import type { TokenKey } from '../../device/src/identity.ts';
import { createCa, issue } from '../support/certificates.ts';
import { SoftHsm } from '../support/soft-hsm.ts';
import { describeWithTools } from '../support/tools.ts';

const DATA = Buffer.from('what is to be proven');

describeWithTools(['softhsm2-util', 'pkcs11-tool', 'openssl'], 'a signature by a key in a token', () => {
  let token: SoftHsm;
  /** PEM, of the key `ec`. */
  let certificate: string;
  let signer: TokenSigner;

  beforeAll(async () => {
    token = new SoftHsm();
    const device = await issue(await createCa('token'), 'token1');
    certificate = device.pem;
    token.importKey(device.keyPem, 'ec', '0a');
  });
  beforeEach(() => {
    signer = new TokenSigner(systemClock(), { ...process.env, ...token.environment });
  });
  afterAll(() => token?.remove());

  const key = (change: Partial<TokenKey> = {}): TokenKey => {
    const { library, tokenLabel } = token.pkcs11;
    return { kind: 'token', library, tokenLabel, keyLabel: 'ec', pin: token.pin, tool: 'pkcs11-tool', ...change };
  };
  const sign = (change: Partial<TokenKey> = {}, of = certificate): Promise<Buffer> =>
    signer.sign(DATA, of, key(change), new AbortController().signal);
  const publicKey = (pem = certificate): KeyObject => new X509Certificate(pem).publicKey;

  /** The real tool, and a file in which its arguments are noted. */
  function notingTool(): { readonly tool: string; readonly calls: () => string[] } {
    const tool = path.join(token.folder, 'noting-tool');
    const file = `${tool}.calls`;
    writeFileSync(tool, `#!/bin/sh\necho "$@" >> ${file}\nexec pkcs11-tool "$@"\n`, { mode: 0o700 });
    writeFileSync(file, '');
    return { tool, calls: () => readFileSync(file, 'utf8').split('\n').filter(Boolean) };
  }

  it('is good for a key on P-256, and the PIN is on no command line', async () => {
    const { tool, calls } = notingTool();

    expect(verify('sha256', DATA, publicKey(), await sign({ tool }))).toBe(true);
    expect(calls()).toHaveLength(2);
    expect(calls().join()).not.toContain(token.pin);
  });

  it('is good for an RSA key', async () => {
    const { pem, keyPem } = selfSignedRsa(token.folder);
    token.importKey(keyPem, 'rsa', '0b');

    expect(verify('sha256', DATA, publicKey(pem), await sign({ keyLabel: 'rsa' }, pem))).toBe(true);
  });

  it('is not made after a PIN that was refused: tokens count', async () => {
    const { tool, calls } = notingTool();

    await expect(sign({ tool, pin: '000000' })).rejects.toThrow('the token refuses the PIN');
    await expect(sign({ tool, pin: '000000' })).rejects.toThrow('not tried again before the next start');
    expect(calls()).toHaveLength(1);
  });

  it.each([
    ['a tool that is not there', { tool: '/usr/bin/none' }, '/usr/bin/none cannot be run'],
    ['a token that is not there', { tokenLabel: 'agnet' }, 'No slot with token named "agnet"'],
    ['a library that is not there', { library: '/usr/lib/none.so' }, 'Failed to load pkcs11 module'],
    ['a key that is not there', { keyLabel: 'ecx' }, 'holds 0 private keys with keyLabel "ecx"'],
  ])('says that it is %s', async (_what, change, message) => {
    await expect(sign(change)).rejects.toThrow(message);
  });

  it('of another key than the certificate is for is refused, also when there are two of the same label', async () => {
    const other = await issue(await createCa('token'), 'token1');
    token.importKey(other.keyPem, 'other', '0c');
    await expect(sign({ keyLabel: 'other' })).rejects.toThrow('not the one of the certificate');

    token.importKey((await issue(await createCa('token'), 'token1')).keyPem, 'other', '0d');
    await expect(sign({ keyLabel: 'other' })).rejects.toThrow('holds 2 private keys');
    expect(existsSync(path.join(token.folder, 'import.pem'))).toBe(false);
  });
});

function selfSignedRsa(folder: string): { readonly pem: string; readonly keyPem: string } {
  const [key, certificate] = ['rsa.key', 'rsa.crt'].map((name) => path.join(folder, name)) as [string, string];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=token1',
    '-keyout',
    key,
    '-out',
    certificate,
  ];
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl req: ${stderr}`);
  return { pem: readFileSync(certificate, 'utf8'), keyPem: readFileSync(key, 'utf8') };
}
