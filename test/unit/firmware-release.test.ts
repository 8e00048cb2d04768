/**
 * What a device refuses before it has a byte of an image: each attack that TUF (specification, section 1.5.2) and Uptane (standard,
 * section 4.2) name, by its name. Endless data and slow retrieval are refused where the image is fetched.
 */
import { createHash } from 'node:crypto';
import type { FirmwareAssignment, FirmwareManifest, SignedDocument } from '@thingstead/contracts/firmware';
import { checkRelease, MAX_COUNTER_LEAP, type ReleaseCheck } from '@thingstead/crypto/firmware-release';
import { documentBytes } from '@thingstead/crypto/strict-json';
import fc from 'fast-check';
import { keyPair, signed, trustOf } from './firmware-keys.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const [one, two, three, online, stranger] = [keyPair(), keyPair(), keyPair(), keyPair(), keyPair()];
const trust = trustOf(1, 2, [one, two, three], [online]);
const manifest: FirmwareManifest = {
  type: 'firmware',
  product: 'greenhouse',
  hardwareRevisions: ['rev-a', 'rev-b'],
  version: '2.1.0',
  counter: 12,
  minimumCounter: 5,
  sha256: 'ab'.repeat(32),
  size: 1000,
  expiresAt: NOW + 86_400_000,
};
const release = signed('firmware', manifest, one, two);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const assigned = (changes: Partial<FirmwareAssignment> = {}, of: SignedDocument = release): FirmwareAssignment => ({
  type: 'assignment',
  thing: 'macdonald-fan',
  attempt: '01JNEXAMPLE000000000000000',
  nonce: 'a nonce of sixteen',
  product: 'greenhouse',
  counter: 12,
  manifestSha256: sha256(Buffer.from(of.document, 'base64')),
  expiresAt: NOW + 60_000,
  ...changes,
});
const good: ReleaseCheck = {
  trust,
  assignment: signed('assignment', assigned(), online),
  release,
  asked: { thing: 'macdonald-fan', attempt: '01JNEXAMPLE000000000000000', nonce: 'a nonce of sixteen' },
  device: { product: 'greenhouse', hardwareRevision: 'rev-b', counter: 7, highestCounter: 9 },
  now: NOW,
};
const device = (changes: Partial<ReleaseCheck['device']>) => ({ ...good, device: { ...good.device, ...changes } });
const assignment = (changes: Partial<FirmwareAssignment>) => ({
  ...good,
  assignment: signed('assignment', assigned(changes), online),
});
/** The cloud assigns this very release: only what the release itself says is wrong. */
const of = (changed: SignedDocument, changes: Partial<FirmwareAssignment> = {}) => ({
  ...good,
  release: changed,
  assignment: signed('assignment', assigned(changes, changed), online),
});
const raw = (text: string) => of(signed('firmware', Buffer.from(text), one, two));
const text = documentBytes(manifest).toString();

describe('a release that is for this device, now', () => {
  test('may be begun', () => {
    expect(checkRelease(good)).toEqual({ ok: true, manifest });
  });

  test('may be begun with more signatures than are needed, and others beside them', () => {
    expect(checkRelease(of(signed('firmware', manifest, stranger, three, two, one)))).toMatchObject({ ok: true });
  });

  test('may be begun by a device that runs no release yet, when the release can be had from the first', () => {
    const first = of(signed('firmware', { ...manifest, minimumCounter: 1 }, one, two));
    expect(checkRelease({ ...first, device: { ...good.device, counter: 0, highestCounter: 0 } }).ok).toBe(true);
  });

  test('may leap by a million', () => {
    const far = of(signed('firmware', { ...manifest, counter: 9 + MAX_COUNTER_LEAP }, one, two), {
      counter: 9 + MAX_COUNTER_LEAP,
    });
    expect(checkRelease(far).ok).toBe(true);
  });
});

describe('refused by its name', () => {
  const twin = signed('firmware', { ...manifest, version: '2.1.1' }, one, two);
  const older = signed('firmware', { ...manifest, counter: 11 }, one, two);
  const attacks: readonly (readonly [attack: string, failure: string, check: ReleaseCheck])[] = [
    ['arbitrary software: signed with a key nobody knows', 'unknown-key', of(signed('firmware', manifest, stranger))],
    [
      'arbitrary software: signed by a cloud that was taken over',
      'arbitrary-software',
      of(signed('firmware', manifest, online)),
    ],
    [
      'arbitrary software: other bytes under good signatures',
      'wrong-signature',
      of({ ...release, document: documentBytes({ ...manifest, version: '6.6.6' }).toString('base64') }),
    ],
    ['key compromise: one of the two keys', 'threshold', of(signed('firmware', manifest, one))],
    ['key compromise: one key signs twice', 'threshold', of(signed('firmware', manifest, one, one))],
    ['a signature for another kind of document', 'wrong-signature', of(signed('trust', manifest, one, two))],
    ['rollback: below what was committed', 'rollback', device({ highestCounter: 13 })],
    ['rollback: what was committed already', 'rollback', device({ highestCounter: 12 })],
    ['rollback: what runs, though nothing is remembered', 'rollback', device({ counter: 12, highestCounter: 0 })],
    ['freeze: an assignment of yesterday', 'freeze', assignment({ expiresAt: NOW - 86_400_000 })],
    ['freeze: an assignment that has ended now', 'freeze', assignment({ expiresAt: NOW })],
    ['freeze: the answer to another request', 'freeze', assignment({ nonce: 'another one, of old' })],
    [
      'freeze: a release that has expired',
      'expired',
      { ...assignment({ expiresAt: NOW + 1e9 }), now: manifest.expiresAt },
    ],
    [
      'fast-forward',
      'fast-forward',
      of(signed('firmware', { ...manifest, counter: 10 + MAX_COUNTER_LEAP }, one, two), {
        counter: 10 + MAX_COUNTER_LEAP,
      }),
    ],
    ['mix-and-match: another release than was assigned', 'mix-and-match', { ...good, release: older }],
    ['mix-and-match: another release of the same counter', 'mix-and-match', { ...good, release: twin }],
    ['mix-and-match: another counter than was assigned', 'mix-and-match', assignment({ counter: 11 })],
    ['mix-and-match: another product than was assigned', 'mix-and-match', assignment({ product: 'doorbell' })],
    ["mix-and-match: another thing's assignment", 'mix-and-match', assignment({ thing: 'macdonald-pump' })],
    [
      "mix-and-match: another attempt's assignment",
      'mix-and-match',
      assignment({ attempt: '01JNANOTHER000000000000000' }),
    ],
    [
      'wrong software: of another product',
      'wrong-product',
      of(signed('firmware', { ...manifest, product: 'doorbell' }, one, two), { product: 'doorbell' }),
    ],
    ['wrong software: for other hardware', 'wrong-hardware', device({ hardwareRevision: 'rev-c' })],
    ['a step between is missing', 'not-reachable-from-here', device({ counter: 4, highestCounter: 4 })],
    ['an assignment that nobody signed', 'unknown-key', { ...good, assignment: signed('assignment', assigned(), one) }],
    [
      'an assignment with one byte changed',
      'wrong-signature',
      {
        ...good,
        assignment: { ...good.assignment, document: documentBytes(assigned({ counter: 13 })).toString('base64') },
      },
    ],
    ['a release in the place of an assignment', 'unknown-key', { ...good, assignment: release }],
    ['signed: a byte order mark', 'malformed', raw(`\u{feff}${text}`)],
    ['signed: a member that stands twice', 'malformed', raw(text.replace('"counter":12', '"counter":99,"counter":12'))],
    ['signed: something after it', 'malformed', raw(`${text} {}`)],
    ['signed: spaces', 'malformed', raw(JSON.stringify(manifest, null, 1))],
    ['signed: another way to write a number', 'malformed', raw(text.replace('"counter":12', '"counter":1.2e1'))],
    ['signed: __proto__', 'malformed', raw(text.replace('{', '{"__proto__":{"counter":99},'))],
    ['signed: a member that objects inherit', 'malformed', raw(text.replace('{', '{"constructor":1,'))],
    ['signed: an unknown member', 'malformed', raw(text.replace('{', '{"channel":"beta",'))],
    ['signed: no JSON', 'malformed', raw('firmware')],
    ['signed: not even UTF-8', 'malformed', of(signed('firmware', Buffer.from([0xff, 0xfe]), one, two))],
    ['signed: nested without end', 'malformed', raw('['.repeat(24_000) + ']'.repeat(24_000))],
    ['signed: a size of zero', 'malformed', of(signed('firmware', { ...manifest, size: 0 }, one, two))],
    ['signed: of another type', 'malformed', of(signed('firmware', { ...manifest, type: 'trust' }, one, two))],
    ['too large to be looked at', 'malformed', raw(`"${'x'.repeat(64 * 1024)}"`)],
    ['other text for the same bytes', 'malformed', { ...good, release: { ...release, document: otherText() } }],
    ['no signature at all', 'malformed', of({ ...release, signatures: [] })],
    ['a signature that is none', 'wrong-signature', of(signatureOf('AAAA'))],
    ['a signature of nothing', 'wrong-signature', of(signatureOf(''))],
  ];

  test.each(attacks)('%s: %s', (_, failure, check) => {
    expect(checkRelease(check)).toMatchObject({ ok: false, failure });
  });

  /** The last bits before the padding mean nothing. */
  function otherText(): string {
    const padded = /^(.*)(.)(=+)$/s.exec(release.document);
    if (!padded) throw new Error('make the manifest one character longer: its base64 needs padding');
    const [, before = '', last = '', padding = ''] = padded;
    const text = before + String.fromCharCode(last.charCodeAt(0) + 1) + padding;
    expect(Buffer.from(text, 'base64')).toEqual(Buffer.from(release.document, 'base64'));
    return text;
  }

  function signatureOf(signature: string): SignedDocument {
    return { ...release, signatures: [{ keyId: one.publicKey.keyId, signature }] };
  }
});

describe('what was tampered with', () => {
  const runs = process.env.THINGSTEAD_EXHAUSTIVE ? 100_000 : 2000;
  const documents = ['assignment', 'release'] as const;
  const LIMIT_MS = 1_800_000;

  function neverTaken(): void {
    const change = fc.record({
      which: fc.constantFrom(...documents),
      at: fc.nat(),
      kind: fc.constantFrom('flip', 'drop', 'insert', 'cut'),
      byte: fc.integer({ min: 1, max: 255 }),
      where: fc.constantFrom('document', 'keyId', 'signature'),
    });
    fc.assert(
      fc.property(change, ({ which, at, kind, byte, where }) => {
        const tampered = { ...good, [which]: tamper(good[which], { at, kind, byte, where }) };
        return !checkRelease(tampered).ok;
      }),
      { numRuns: runs },
    );
  }
  test(`is never taken, and never a reason to stop (${runs} changed documents)`, neverTaken, LIMIT_MS);

  function anything(): void {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...documents), (value, which) => {
        const check = { ...good, [which]: value as SignedDocument };
        return !checkRelease(check).ok;
      }),
      { numRuns: runs / 10 },
    );
  }
  test('is never a reason to stop, when it is anything at all', anything, LIMIT_MS);
});

interface Tampering {
  readonly at: number;
  readonly kind: string;
  readonly byte: number;
  readonly where: string;
}

/** Changes one byte of what is signed, of every signature, or of every key's id. */
function tamper({ document, signatures }: SignedDocument, { where, ...how }: Tampering): SignedDocument {
  if (where === 'document') return { document: changed(document, 'base64', how), signatures };
  const member = where === 'keyId' ? 'keyId' : 'signature';
  const encoding = where === 'keyId' ? 'hex' : 'base64';
  return {
    document,
    signatures: signatures.map((each) => ({ ...each, [member]: changed(each[member], encoding, how) })),
  };
}

function changed(encoded: string, encoding: 'hex' | 'base64', { at, kind, byte }: Omit<Tampering, 'where'>): string {
  const bytes = Buffer.from(encoded, encoding);
  const n = at % bytes.length;
  const after = bytes.subarray(n + (kind === 'insert' ? 0 : 1));
  const middle = { flip: [(bytes[n] ?? 0) ^ byte], insert: [byte] }[kind] ?? [];
  const parts = kind === 'cut' ? [bytes.subarray(0, n)] : [bytes.subarray(0, n), Buffer.from(middle), after];
  return Buffer.concat(parts).toString(encoding);
}
