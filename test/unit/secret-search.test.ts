import { createPrivateKey, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { createCa, issue } from '../support/certificates.ts';
import { SecretSearch } from '../support/secrets/search.ts';

const secret = randomBytes(32);
const text = `wJa/rX+${randomBytes(24).toString('base64')}`;
const search = new SecretSearch([
  { slot: 'bytes', bytes: secret },
  { slot: 'text', bytes: Buffer.from(text) },
]);

function slotsIn(output: string): readonly string[] {
  return [...new Set(search.in(output).map(({ slot }) => slot))];
}

describe('the search for secrets', () => {
  it.each([
    ['raw', `key ${secret.toString('latin1')}.`],
    ['hex', `key ${secret.toString('hex')}.`],
    ['capital hex', secret.toString('hex').toUpperCase()],
    ['a Buffer as Node.js shows it', inspect(secret)],
    ['an array as Node.js shows it', inspect(new Uint8Array(secret))],
    ['a Buffer in JSON', JSON.stringify({ secret })],
    ['base64', secret.toString('base64')],
    ['base64url', secret.toString('base64url')],
    [
      'base64 of more than the secret',
      Buffer.concat([Buffer.from('k'), secret, Buffer.from('end')]).toString('base64'),
    ],
    ['base64 in an address', encodeURIComponent(secret.toString('base64'))],
    ['base64 of base64', Buffer.from(`{"k":"${secret.toString('base64')}"}`).toString('base64')],
  ])('finds bytes as %s', (_form, output) => {
    expect(slotsIn(output)).toEqual(['bytes']);
  });

  it.each([
    ['it is', `secret=${text}\n`],
    ['a query of an address', `?secret=${encodeURIComponent(text)}&`],
    [
      'a query with small letters',
      encodeURIComponent(text).toLowerCase().includes('%2f')
        ? encodeURIComponent(text).replaceAll('%2F', '%2f').replaceAll('%2B', '%2b')
        : text,
    ],
    ['JSON in JSON', JSON.stringify(JSON.stringify({ text: `\n${text}` }))],
    ['lines', text.replace(/(.{9})/g, '$1\n')],
    ['base64 of a document', Buffer.from(JSON.stringify({ text })).toString('base64')],
  ])('finds text as %s', (_form, output) => {
    expect(slotsIn(output)).toEqual(['text']);
  });

  it('finds any 23 characters in a row', () => {
    const from = fc.integer({ min: 0, max: text.length - 23 });
    fc.assert(fc.property(from, (at) => slotsIn(`"${text.slice(at, at + 23)}"`).includes('text')));
  });

  it('finds nothing in other text', () => {
    const other = randomBytes(100_000);

    expect(slotsIn(`${other.toString('latin1')}${other.toString('base64')}${other.toString('hex')}`)).toEqual([]);
  });

  it('tells a private key, in PEM of either kind, from its certificate', async () => {
    const device = await issue(await createCa('factory'), 'macdonald-barn1');
    const key = createPrivateKey(device.keyPem);
    const bytes = Buffer.from(String(key.export({ format: 'jwk' }).d), 'base64url');
    const keys = new SecretSearch([{ slot: 'private key', bytes }]);

    expect(keys.in(device.keyPem)).toEqual([{ slot: 'private key', form: 'base64' }]);
    expect(keys.in(String(key.export({ format: 'pem', type: 'sec1' })))).toHaveLength(1);
    expect(keys.in(JSON.stringify({ error: device.keyPem }))).toHaveLength(1);
    expect(keys.in(device.pem)).toEqual([]);
  });
});
