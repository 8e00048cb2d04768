/** What the cloud decides about the next certificate of a device. */
import 'reflect-metadata';
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { type RenewalRequest, renewalProof } from '@thingstead/contracts/certificates';
import { expiryDay } from '@thingstead/contracts/registration';
import { countExpiring } from '../../lambda/certificate-expiries/count.ts';
import { createCa, createKeys, type DeviceCertificate, issue } from '../support/certificates.ts';
import {
  type Authorities,
  arnOf,
  authorities,
  DAY_MS,
  idOf,
  NOW,
  requestOf,
  THING,
  World,
} from './certificate-world.ts';

const YEAR_MS = 366 * DAY_MS;
let by: Authorities;
let csr: string;
let world: World;

beforeAll(async () => {
  by = await authorities();
  csr = await requestOf(THING);
});
beforeEach(() => {
  world = new World(by);
});

const first = (): string => by.device.certificateId;

describe('a device that asks for its next certificate', () => {
  it('gets one of the CA in KMS for its new key, which is let in as a whole', async () => {
    const pem = await world.renewed(first(), csr);

    const certificate = new X509Certificate(pem);
    expect(certificate.subject).toBe(`CN=${THING}`);
    expect(certificate.verify(new X509Certificate(by.renewals.pem).publicKey)).toBe(true);
    expect(certificate.validToDate.getTime()).toBe(NOW + 100 * DAY_MS);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(world.working.sort()).toEqual([first(), idOf(pem)].sort());
    expect(world.rotations.get(THING)).toBe(idOf(pem));
    expect(world.claims.get(THING)?.certificateId).toBe(first());
  });

  it('gets the same one for the same key, signed once, however often it asks, also with another request', async () => {
    const keys = await createKeys();
    const pem = await world.renewed(first(), await requestOf(THING, keys));

    expect(await world.renewed(first(), await requestOf(THING, keys))).toBe(pem);
    expect(world.signatures).toBe(1);
  });

  it('gets one for the key of the connection when it names none: a key in a token stays there', async () => {
    const pem = await world.renewed(first());

    const key = (text: string): unknown => new X509Certificate(text).publicKey.export({ format: 'jwk' });
    expect(key(pem)).toEqual(key(by.device.pem));
  });

  it('gets one that lives no longer than its CA', async () => {
    const end = new X509Certificate(by.renewals.pem).validToDate.getTime();
    world.now = end - 10 * DAY_MS;

    const pem = await world.renewed(first(), csr);

    expect(new X509Certificate(pem).validToDate.getTime()).toBe(end);
  });

  it.each([
    ['too early', 'not-due', () => (world.now = NOW - 10 * DAY_MS)],
    ['with a certificate that has not the name', 'refused', () => world.claims.delete(THING)],
    [
      'with one that is not active',
      'refused',
      () => world.certificates.set(first(), { ...registered(), status: 'INACTIVE' }),
    ],
    ['with one that is on the revocation list', 'refused', () => world.revoked.add(first())],
    [
      'when its CA is not active',
      'refused',
      () => world.cas.set(idOf(by.renewals.pem), { pem: by.renewals.pem, active: false, autoRegistration: true }),
    ],
  ] as const)('%s: %s', async (_when, code, given) => {
    given();

    const said = await world.message(first(), { type: 'renew', csr });

    expect(said).toMatchObject({ verdict: 'rejected', answer: { type: 'renew', code } });
    expect(world.working.filter((id) => id !== first())).toEqual([]);
  });

  it.each([
    ['of another thing', async () => requestOf('barn-sensor2')],
    ['with two names', async () => requestOf(`${THING},CN=barn-sensor2`)],
    ['whose signature is by another key', async () => tampered(await requestOf(THING))],
    ['that is none', async () => 'x'],
  ])('with a request %s: invalid', async (_what, request) => {
    const said = await world.message(first(), { type: 'renew', csr: await request() });

    expect(said).toMatchObject({ verdict: 'rejected', answer: { code: 'invalid', retry: false } });
    expect(world.signatures).toBe(0);
  });

  it('too early, though an operator wants it: gets one, and then it is done', async () => {
    world.now = NOW - 10 * DAY_MS;
    world.rows.set(THING, { thing: THING, version: 1, requests: [], asked: 0, windowEndsAt: 0, wantedAt: world.now });

    const pem = await world.renewed(first(), csr);
    await world.message(idOf(pem), { type: 'confirm' });

    expect(await world.message(idOf(pem), { type: 'renew', csr: await requestOf(THING) })).toMatchObject({
      answer: { code: 'not-due' },
    });
  });

  it('with ever new keys: five a day', async () => {
    for (let n = 0; n < 5; n += 1) await world.renewed(first(), await requestOf(THING));

    expect(await world.message(first(), { type: 'renew', csr })).toMatchObject({
      answer: { code: 'busy', retry: true },
    });
    world.now += DAY_MS;
    await world.renewed(first(), csr);
    expect(world.rows.get(THING)?.requests).toHaveLength(4);
  });

  it('when an operator signs: waits, and gets what was signed', async () => {
    world.settings = { ...world.settings, issuer: 'OPERATOR' };
    const keys = await createKeys();
    const request = await requestOf(THING, keys);
    expect(await world.message(first(), { type: 'renew', csr: request })).toMatchObject({
      answer: { code: 'pending' },
    });
    expect(await world.message(first(), { type: 'renew', csr: request })).toMatchObject({
      answer: { code: 'pending' },
    });
    expect(world.reported.filter((each) => each === 'pending')).toHaveLength(1);

    const signed = await issue(by.factory, THING, {
      keys,
      notBefore: new Date(NOW - DAY_MS),
      notAfter: new Date(NOW + 90 * DAY_MS),
    });
    signs(signed, idOf(by.factory.pem));

    expect(await world.renewed(first(), request)).toBe(signed.pem);
    expect(world.status(signed.certificateId)).toBe('ACTIVE');
  });

  it('when the operator has signed something else: waits until it is signed anew', async () => {
    world.settings = { ...world.settings, issuer: 'OPERATOR' };
    await world.message(first(), { type: 'renew', csr });
    signs(await issue(by.factory, THING, { notAfter: new Date(NOW + 90 * DAY_MS) }), idOf(by.factory.pem));

    expect(await world.message(first(), { type: 'renew', csr })).toMatchObject({ answer: { code: 'pending' } });
    expect(world.working).toEqual([first()]);
  });

  function signs({ pem, certificateId }: DeviceCertificate, caCertificateId: string): void {
    const row = world.rows.get(THING);
    if (!row) throw new Error('nothing waits');
    const requests = row.requests.map((each) => ({
      ...each,
      issued: { certificate: pem, certificateId, caCertificateId },
    }));
    world.rows.set(THING, { ...row, version: row.version + 1, requests });
  }
});

describe('a certificate that was issued and never confirmed', () => {
  it('is issued anew for the same key once it has expired', async () => {
    const keys = await createKeys();
    const one = await world.renewed(first(), await requestOf(THING, keys));
    world.now = NOW + 2 * YEAR_MS;

    const two = await world.renewed(first(), await requestOf(THING, keys));

    expect(two).not.toBe(one);
    expect(new X509Certificate(two).validToDate.getTime()).toBe(world.now + 100 * DAY_MS);
  });

  it('is given again when its CA is active again', async () => {
    const one = await world.renewed(first(), csr);
    world.cas.set(idOf(by.renewals.pem), { pem: by.renewals.pem, active: false, autoRegistration: true });
    expect(await world.message(first(), { type: 'renew', csr })).toMatchObject({
      answer: { code: 'refused', retry: true },
    });
    world.cas.set(idOf(by.renewals.pem), { pem: by.renewals.pem, active: true, autoRegistration: true });

    expect(await world.renewed(first(), csr)).toBe(one);
  });
});

describe('a device that says its new certificate works', () => {
  it('has the name with it from then on, and the old one is INACTIVE; also when it says so twice', async () => {
    const next = idOf(await world.renewed(first(), csr));

    for (let n = 0; n < 2; n += 1) {
      expect(await world.message(next, { type: 'confirm' })).toMatchObject({
        verdict: 'accepted',
        answer: { type: 'confirm' },
      });
    }
    expect(world.working).toEqual([next]);
    expect(world.status(first())).toBe('INACTIVE');
    const notAfter = NOW + 100 * DAY_MS;
    expect(world.claims.get(THING)).toEqual({
      thing: THING,
      certificateId: next,
      claimedAt: NOW,
      notAfter,
      expiresOn: expiryDay(notAfter),
    });
  });

  it('is not believed over a connection with the old one', async () => {
    await world.renewed(first(), csr);

    expect(await world.message(first(), { type: 'confirm' })).toMatchObject({
      verdict: 'rejected',
      answer: { code: 'not-the-new-one' },
    });
    expect(world.working).toHaveLength(2);
    expect(world.claims.get(THING)?.certificateId).toBe(first());
  });

  it('takes the one of two that works, and keeps one that was asked for later', async () => {
    const [one, two] = [await world.renewed(first(), csr), await world.renewed(first(), await requestOf(THING))];

    await world.message(idOf(one), { type: 'confirm' });
    expect(world.working.sort()).toEqual([idOf(one), idOf(two)].sort());
    await world.message(idOf(two), { type: 'confirm' });
    expect(world.working).toEqual([idOf(two)]);
  });

  it('retires the earlier of two with the later', async () => {
    const [, two] = [await world.renewed(first(), csr), await world.renewed(first(), await requestOf(THING))];

    await world.message(idOf(two), { type: 'confirm' });

    expect(world.working).toEqual([idOf(two)]);
  });

  it('changes nothing when it comes late, after the next one was asked for', async () => {
    const one = idOf(await world.renewed(first(), csr));
    await world.message(one, { type: 'confirm' });
    world.now += 90 * DAY_MS;
    const two = idOf(await world.renewed(one, await requestOf(THING)));

    expect(await world.message(one, { type: 'confirm' })).toMatchObject({ answer: { code: 'not-the-new-one' } });
    expect(world.working.sort()).toEqual([one, two].sort());
  });
});

describe('a function that is cut off at any call', () => {
  /** Fails at the call of this number, then lets Lambda try again. */
  async function cutOffAt(at: number, act: () => Promise<unknown>): Promise<boolean> {
    let calls = 0;
    world.disturb = () => {
      calls += 1;
      if (calls === at) throw new Error('cut off');
    };
    const hasFailed = await act().then(
      () => false,
      () => true,
    );
    world.disturb = () => {};
    if (hasFailed) await act();
    return hasFailed;
  }

  it('comes to the same end, and the device could always connect', async () => {
    let at = 1;
    for (let hasFailed = true; hasFailed; at += 1) {
      world = new World(by);
      hasFailed = await cutOffAt(at, () => world.message(first(), { type: 'renew', csr }));
      const [next = ''] = world.working.filter((id) => id !== first());
      expect({ at, working: world.working.length, signed: world.rows.get(THING)?.requests.length }).toEqual({
        at,
        working: 2,
        signed: 1,
      });

      await cutOffAt(at, () => world.message(next, { type: 'confirm' }));
      expect({ at, working: world.working, claim: world.claims.get(THING)?.certificateId }).toEqual({
        at,
        working: [next],
        claim: next,
      });
    }
    expect(at).toBeGreaterThan(30);
  });

  it('never leaves a certificate active when the thing is taken out of service while it runs', async () => {
    let calls = 0;
    world.disturb = () => {
      calls += 1;
    };
    await world.message(first(), { type: 'renew', csr });
    for (let at = 1; at <= calls + 1; at += 1) {
      world = new World(by);
      let call = 0;
      world.disturb = () => {
        call += 1;
        if (call === at) takeOutOfService();
      };
      await world.message(first(), { type: 'renew', csr });
      world.disturb = () => {};
      if (at > calls) takeOutOfService();
      expect({ at, working: world.working }).toEqual({ at, working: [] });
    }
  });

  /** As an operator does it: all that are known go on the list, then they are revoked. */
  function takeOutOfService(): void {
    const next = world.rotations.get(THING);
    for (const id of [first(), ...(next === undefined ? [] : [next])]) world.revoked.add(id);
    for (const [id, certificate] of world.certificates) {
      if (world.principals.has(arnOf(id))) certificate.status = 'REVOKED';
    }
  }

  it('changes the row one after the other when several run at a time', async () => {
    const requests = await Promise.all([1, 2, 3].map(() => requestOf(THING)));
    await Promise.all(requests.map((each) => world.message(first(), { type: 'renew', csr: each })));

    const row = world.rows.get(THING);
    expect(row?.requests).toHaveLength(3);
    expect(world.working).toHaveLength(4);
    expect(row?.requests.every(({ issued }) => issued && world.status(issued.certificateId) === 'ACTIVE')).toBe(true);
  });
});

describe('a device whose certificate has expired', () => {
  const asked = (change: Partial<RenewalRequest> = {}, keyPem = by.device.keyPem): RenewalRequest => {
    const unsigned = { certificate: by.device.pem, csr, at: world.now, ...change };
    const signature = sign('sha256', Buffer.from(renewalProof(unsigned)), createPrivateKey(keyPem)).toString('base64');
    return { ...unsigned, signature, ...(change.signature !== undefined && { signature: change.signature }) };
  };
  beforeEach(() => {
    world.now = NOW + 2 * YEAR_MS;
  });

  it('gets the next one over HTTPS, the same when it asks again; and has the name once it has connected with it', async () => {
    const answer = await world.http(asked());
    expect(answer.statusCode).toBe(200);
    const { certificate } = JSON.parse(answer.body);
    expect(JSON.parse((await world.http(asked())).body).certificate).toBe(certificate);

    await world.message(idOf(certificate), { type: 'confirm' });
    expect(world.working).toEqual([idOf(certificate)]);
    // The old one is of no use any more.
    expect((await world.http(asked({ csr: await requestOf(THING) }))).statusCode).toBe(403);
  });

  it('gets another certificate for the same key when it sends no request, and the name once it has connected with it', async () => {
    const { certificate: pem, at } = asked();
    const proof = Buffer.from(renewalProof({ certificate: pem, at }));
    const signature = sign('sha256', proof, createPrivateKey(by.device.keyPem)).toString('base64');

    const answer = await world.http({ certificate: pem, at, signature });

    expect(answer.statusCode).toBe(200);
    const certificate = new X509Certificate(JSON.parse(answer.body).certificate);
    expect(certificate.checkPrivateKey(createPrivateKey(by.device.keyPem))).toBe(true);
    expect(idOf(certificate.toString())).not.toBe(first());
    await world.message(idOf(certificate.toString()), { type: 'confirm' });
    expect(world.working).toEqual([idOf(certificate.toString())]);
  });

  it.each([
    ['with the signature over a request that was taken out', async () => withoutRequest(asked())],
    ['with the signature of another key', async () => asked({}, (await issue(by.factory, THING)).keyPem)],
    ['with the signature over another request', async () => ({ ...asked(), csr: await requestOf(THING) })],
    ['of yesterday', async () => asked({ at: world.now - DAY_MS })],
    ['with the request of another thing', async () => asked({ csr: await requestOf('barn-sensor2') })],
    ['with a certificate of a stranger’s CA', async () => foreign(await createCa('factory'))],
    ['with another certificate of the CA, which never had the name', async () => foreign(by.factory)],
    ['that expired too long ago', () => askedOnce(() => Object.assign(world, { now: NOW + 6 * YEAR_MS }))],
    [
      'that was set INACTIVE',
      () => askedOnce(() => world.certificates.set(first(), { ...registered(), status: 'INACTIVE' })),
    ],
    ['that is on the revocation list', () => askedOnce(() => world.revoked.add(first()))],
    ['whose CA is not active', () => askedOnce(() => world.cas.delete(idOf(by.factory.pem)))],
    ['that is not a certificate', async () => asked({ certificate: 'x' })],
  ])('%s: 403, in the same words', async (_what, request) => {
    const { statusCode, body } = await world.http(await request());

    expect([statusCode, JSON.parse(body).detail]).toEqual([403, 'there is no certificate for this request']);
    expect(world.signatures).toBe(0);
  });

  it('is answered 400 when it is no request at all', async () => {
    expect((await world.http({ csr })).statusCode).toBe(400);
  });

  function withoutRequest({ csr: _, ...rest }: RenewalRequest): RenewalRequest {
    return rest;
  }

  async function askedOnce(change: () => unknown): Promise<RenewalRequest> {
    change();
    return asked();
  }

  async function foreign(ca: Authorities['factory']): Promise<RenewalRequest> {
    const other = await issue(ca, THING);
    return asked({ certificate: other.pem }, other.keyPem);
  }
});

it('counts the certificates that expire within the days ahead, or did a week ago', async () => {
  const days = new Map([
    [expiryDay(NOW - 8 * DAY_MS), 100],
    [expiryDay(NOW - 7 * DAY_MS), 1],
    [expiryDay(NOW + 30 * DAY_MS), 2],
    [expiryDay(NOW + 31 * DAY_MS), 1000],
  ]);
  const counted: number[] = [];

  await countExpiring({
    claims: { countOf: (day) => Promise.resolve(days.get(day) ?? 0) },
    reports: { counted: (expiring) => void counted.push(expiring) },
    noticeDays: 30,
    now: () => NOW,
  });

  expect(counted).toEqual([3]);
});

function registered() {
  const found = world.certificates.get(first());
  if (!found) throw new Error('the device is gone');
  return found;
}

/** With one bit of the signature changed. */
function tampered(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
}
