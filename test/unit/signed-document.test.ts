import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { bytesToSign, keyIdOf, trustedKey, verifySignatures } from '@thingstead/crypto/signed-document';

interface Pair {
  readonly keyId: string;
  readonly spki: string;
  readonly privateKey: KeyObject;
}

function pair(namedCurve = 'P-256'): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return { keyId: keyIdOf(der), spki: der.toString('base64'), privateKey };
}

const document = Buffer.from('{"type":"firmware"}');
const signature = ({ keyId, privateKey }: Pair, type = 'firmware') => ({
  keyId,
  signature: sign('sha256', bytesToSign(type, document), privateKey).toString('base64'),
});
const signed = (...signatures: ReturnType<typeof signature>[]) => ({
  document: document.toString('base64'),
  signatures,
});

describe('a signed document', () => {
  const [one, two, stranger] = [pair(), pair(), pair()];
  const keys = [trustedKey(one), trustedKey(two)];

  test('is read when enough of the trusted keys have signed it', () => {
    const both = signed(signature(one), signature(stranger), signature(two));
    expect(verifySignatures('firmware', both, keys, 2)).toEqual({ ok: true, bytes: document });
  });

  test('is not, with a signature of a key that is not trusted', () => {
    expect(verifySignatures('firmware', signed(signature(stranger)), keys, 1)).toMatchObject({
      failure: 'unknown-key',
    });
  });

  test('is not, when the same key signs twice where two are asked for', () => {
    const twice = signed(signature(one), signature(one));
    expect(verifySignatures('firmware', twice, keys, 2)).toMatchObject({ failure: 'threshold' });
  });

  test('is not, when a document of another kind was signed', () => {
    const other = signed(signature(one, 'trust'));
    expect(verifySignatures('firmware', other, keys, 1)).toMatchObject({ failure: 'wrong-signature' });
  });

  test.each([...document.keys()])('is not, with byte %i changed', (at) => {
    const changed = Buffer.from(document);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const forged = { ...signed(signature(one)), document: changed.toString('base64') };
    expect(verifySignatures('firmware', forged, keys, 1)).toMatchObject({ failure: 'wrong-signature' });
  });

  test('no key is trusted under the id of another, or on another curve', () => {
    expect(() => trustedKey({ keyId: one.keyId, spki: two.spki })).toThrow('another one than its id says');
    expect(() => trustedKey(pair('P-384'))).toThrow('not of P-256');
  });
});
