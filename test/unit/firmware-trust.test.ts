/** How trust in keys is handed on, as TUF rotates its root; and what is not accepted as the next one. */
import type { FirmwareTrust, SignedDocument } from '@thingstead/contracts/firmware';
import { acceptTrust, readTrust, type TrustResult } from '@thingstead/crypto/firmware-trust';
import { keyIdOf } from '@thingstead/crypto/signed-document';
import { keyPair, type Pair, signed, trustOf } from './firmware-keys.ts';

const [a, b, c, d, online, newOnline] = [keyPair(), keyPair(), keyPair(), keyPair(), keyPair(), keyPair()];
const first = trustOf(1, 2, [a, b, c], [online]);
const next = trustOf(2, 2, [b, c, d], [newOnline]);

describe('the trust document that is installed', () => {
  test('is read when its own threshold has signed it', () => {
    expect(readTrust(signed('trust', first, a, c))).toEqual({ ok: true, trust: first });
  });

  test.each<[string, string, SignedDocument]>([
    ['too few of its keys', 'threshold', signed('trust', first, a)],
    ['none of its keys', 'unknown-key', signed('trust', first, d)],
    [
      'a signature over something else',
      'wrong-signature',
      { ...signed('trust', first, a, b), document: signed('trust', next, a).document },
    ],
    ['more keys asked for than there are', 'malformed', signed('trust', { ...first, threshold: 4 }, a, b, c)],
    ['one key twice', 'malformed', signed('trust', trustOf(1, 2, [a, a], [online]), a, a)],
    [
      'one key twice, written in two ways',
      'malformed',
      signed('trust', trustOf(1, 2, [a, compressed(a)], [online]), a, compressed(a)),
    ],
    ['a release key that is online', 'malformed', signed('trust', trustOf(1, 1, [a], [a]), a)],
    ['a key under a wrong id', 'malformed', signed('trust', wrongId(), a, b)],
    ['a key of another curve', 'malformed', signed('trust', trustOf(1, 1, [keyPair('P-384')], [online]), a)],
    ['a key that is none', 'malformed', signed('trust', trustOf(1, 1, [noKey()], [online]), a)],
    ['a release', 'malformed', signed('firmware', { type: 'firmware' }, a, b)],
  ])('is not, with %s: %s', (_, failure, document) => {
    expect(readTrust(document)).toMatchObject({ ok: false, failure });
  });

  test.each([undefined, null, 'trust', 42, {}, { document: 'e30=' }, { document: 'e30=', signatures: 'all' }])(
    'is not %j',
    (anything) => {
      expect(readTrust(anything)).toMatchObject({ ok: false, failure: 'malformed' });
    },
  );
});

describe('the next trust document', () => {
  test('is accepted with the threshold of the keys before and of its own', () => {
    expect(acceptTrust(first, signed('trust', next, b, c))).toEqual({ ok: true, trust: next });
    expect(acceptTrust(first, signed('trust', next, a, b, d))).toEqual({ ok: true, trust: next });
  });

  test('may replace all keys, signed by old and new ones', () => {
    const replaced = trustOf(2, 1, [d], [newOnline]);
    expect(acceptTrust(first, signed('trust', replaced, a, b, d))).toEqual({ ok: true, trust: replaced });
  });

  test.each<[string, string, SignedDocument]>([
    ['the threshold of the old keys is missing', 'threshold', signed('trust', next, c, d)],
    ['its own threshold is missing', 'threshold', signed('trust', next, a, b)],
    ['old keys have not signed it at all', 'unknown-key', signed('trust', trustOf(2, 1, [d], [newOnline]), d)],
    ['a stolen key signs itself in', 'threshold', signed('trust', trustOf(2, 1, [d], [newOnline]), a, d)],
    ['its own keys have not signed it at all', 'unknown-key', signed('trust', trustOf(2, 1, [d], [newOnline]), a, b)],
    ['it is the one that is known', 'rollback', signed('trust', first, a, b)],
    ['it is older', 'rollback', signed('trust', { ...first, version: 1 }, a, b)],
    ['one between is missing', 'fast-forward', signed('trust', { ...next, version: 3 }, b, c)],
    ['it is a release', 'wrong-signature', signed('firmware', next, b, c)],
    ['the online key has signed it', 'unknown-key', signed('trust', next, online)],
    ['it asks for keys it has not', 'malformed', signed('trust', { ...next, threshold: 4 }, b, c)],
  ])('is refused when %s: %s', (_, failure, document) => {
    expect(acceptTrust(first, document)).toMatchObject({ ok: false, failure });
  });

  test('a chain of ten ends with the last', () => {
    const pairs = Array.from({ length: 11 }, () => keyPair());
    const at = (n: number) => pairs[n] as Pair;
    const chain = pairs.slice(1).map((pair, n) => signed('trust', trustOf(n + 2, 1, [pair], [online]), at(n), pair));
    const start: TrustResult = readTrust(signed('trust', trustOf(1, 1, [at(0)], [online]), at(0)));
    const end = chain.reduce((trust, document) => (trust.ok ? acceptTrust(trust.trust, document) : trust), start);
    expect(end).toMatchObject({ ok: true, trust: { version: 11 } });
  });
});

/** The same key with its point compressed: other bytes, so another id. */
function compressed(pair: Pair): Pair {
  const der = Buffer.from(pair.publicKey.spki, 'base64');
  const [x, y] = [der.subarray(27, 59), der.subarray(59)];
  const header = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex');
  const spki = Buffer.concat([header, Buffer.from([2 + ((y.at(-1) ?? 0) & 1)]), x]);
  return { ...pair, publicKey: { keyId: keyIdOf(spki), spki: spki.toString('base64') } };
}

function wrongId(): FirmwareTrust {
  return { ...first, releaseKeys: [a.publicKey, { keyId: b.publicKey.keyId, spki: c.publicKey.spki }] };
}

function noKey(): Pair {
  const spki = Buffer.from('no key');
  return { ...a, publicKey: { keyId: keyIdOf(spki), spki: spki.toString('base64') } };
}
