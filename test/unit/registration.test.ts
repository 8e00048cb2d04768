/** The decisions of just-in-time registration, over a registry and a table in memory. */
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { register } from '../../lambda/registration/domain.ts';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../support/certificates.ts';
import { arnOf, CA_ID, NOW, World } from './registration-fixture.ts';

const DAY_MS = 86_400_000;
let ca: CertificateAuthority;
let otherCa: CertificateAuthority;
let device: DeviceCertificate;
let rival: DeviceCertificate;
let world: World;

beforeAll(async () => {
  [ca, otherCa] = await Promise.all([createCa('factory'), createCa('elsewhere')]);
  device = await issue(ca, 'sensor1');
  rival = await issue(ca, 'sensor1');
});
beforeEach(() => {
  world = new World(ca);
});

async function run(...issued: readonly DeviceCertificate[]): Promise<void> {
  for (const each of issued) await register(world.connect(each), world.ports());
}

function isAdmitted({ certificateId, thing }: DeviceCertificate): boolean {
  const arn = arnOf(certificateId);
  const isWhole = world.things.has(thing) && world.policies.has(arn) && world.principals.get(thing)?.has(arn);
  return world.status(certificateId) === 'ACTIVE' && isWhole === true;
}

function expectHeld({ certificateId }: DeviceCertificate, reason: string, status = 'PENDING_ACTIVATION'): void {
  expect(world.heldReason(certificateId)).toBe(reason);
  expect(world.status(certificateId)).toBe(status);
  expect(world.reported).toContain(`held ${reason}`);
}

describe('a certificate of a registered CA', () => {
  it('gets thing, policy, principal, and is activated last', async () => {
    const calls: string[] = [];
    world.disturb = (point) => void calls.push(point);

    await run(device);

    expect(isAdmitted(device)).toBe(true);
    expect(world.things.get('sensor1')).toEqual({ name: 'sensor1', type: 'thingstead-device', attributes: {} });
    const writes = ['createThing', 'attachPolicy', 'attachThing', 'claim'];
    const activated = calls.indexOf('before setStatus');
    expect(writes.every((write) => calls.lastIndexOf(`after ${write}`) < activated)).toBe(true);
  });

  it('gets the type and the attributes that its manifest entry names', async () => {
    world.manifest.set('sensor1', { thing: 'sensor1', thingType: 'pump', attributes: { batch: 'b7' }, addedAt: NOW });

    await run(device);

    expect(world.things.get('sensor1')).toEqual({ name: 'sensor1', type: 'pump', attributes: { batch: 'b7' } });
  });

  it('takes a thing that the operator has made before, with what it has', async () => {
    world.things.set('sensor1', { name: 'sensor1', type: 'pump', attributes: { room: '3' } });
    world.manifest.set('sensor1', { thing: 'sensor1', attributes: { batch: 'b7' }, addedAt: NOW });

    await run(device);

    expect(world.things.get('sensor1')).toEqual({
      name: 'sensor1',
      type: 'pump',
      attributes: { room: '3', batch: 'b7' },
    });
    expect(isAdmitted(device)).toBe(true);
  });
});

describe('a certificate is held', () => {
  it.each([
    ['whose CA is not known', 'ca-unknown', (): void => world.authorities.clear()],
    ['whose CA is inactive', 'ca-inactive', (): void => world.changeCa({ active: false })],
    [
      'whose CA registers nobody by itself',
      'ca-registration-disabled',
      (): void => world.changeCa({ autoRegistration: false }),
    ],
    ['whose CA has expired', 'ca-expired', () => (world.now = NOW + 366 * DAY_MS)],
    ['whose CA has another key', 'signature-invalid', (): void => world.changeCa({ pem: otherCa.pem })],
    [
      'that is not on the manifest',
      'not-in-manifest',
      () => (world.settings = { ...world.settings, manifest: 'required' }),
    ],
    ['whose manifest entry cannot be read', 'manifest-invalid', () => world.manifest.set('sensor1', 'invalid')],
    [
      'whose manifest entry names another certificate',
      'manifest-mismatch',
      () => entry({ certificateId: 'f'.repeat(64) }),
    ],
    ['whose manifest entry names another CA', 'manifest-mismatch', () => entry({ caCertificateId: 'f'.repeat(64) })],
    [
      'whose name a stranger is attached to',
      'name-taken',
      () => world.principals.set('sensor1', new Set(['arn:other'])),
    ],
    ['whose name is claimed', 'name-taken', () => world.claims.set('sensor1', 'f'.repeat(64))],
  ] as const)('%s: %s', async (_what, reason, given) => {
    given();

    await run(device);

    expectHeld(device, reason);
    expect(world.policies.size).toBe(0);
  });

  function entry(pin: { certificateId?: string; caCertificateId?: string }): void {
    world.manifest.set('sensor1', { thing: 'sensor1', addedAt: NOW, ...pin });
  }

  it('that was issued by no CA', async () => {
    await register(world.connect(device, ''), world.ports());

    expectHeld(device, 'ca-unknown');
  });

  it('with a validity period that is over, or has not begun', async () => {
    const expired = await issue(ca, 'expired', {
      notBefore: new Date(NOW - 2 * DAY_MS),
      notAfter: new Date(NOW - DAY_MS),
    });
    const early = await issue(ca, 'early', { notBefore: new Date(NOW + DAY_MS), notAfter: new Date(NOW + 2 * DAY_MS) });

    await run(expired, early);

    expectHeld(expired, 'expired');
    expectHeld(early, 'not-yet-valid');
  });

  it.each([
    'CN=has a space',
    'CN=plus\\+plus',
    'CN=$aws',
    'CN=ümlaut',
    'CN=dot.dot',
    `CN=${'x'.repeat(65)}`,
    'CN=one,CN=two',
    'CN=one+CN=two',
    'O=no name',
    'CN=sensor1\\0Aevil',
  ])('whose subject is %s', async (subject) => {
    const nameless = await issue(ca, 'nameless', { subject });

    await run(nameless);

    expectHeld(nameless, 'name-invalid');
    expect(world.things.size).toBe(0);
  });

  it('with a weak key', async () => {
    const weak = await issueRsa(1024);

    await run(weak);

    expectHeld(weak, 'key-weak');
  });

  it('counts how often, and keeps nothing once it is let in', async () => {
    world.settings = { ...world.settings, manifest: 'required' };
    await run(device, device, device);
    expect(world.held.get(device.certificateId)?.count).toBe(3);

    world.manifest.set('sensor1', { thing: 'sensor1', addedAt: NOW });
    await run(device);

    expect(isAdmitted(device)).toBe(true);
    expect(world.held.size).toBe(0);
  });

  /** A certificate with an RSA key of this size. */
  async function issueRsa(modulusLength: number): Promise<DeviceCertificate> {
    const algorithm = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      publicExponent: new Uint8Array([1, 0, 1]),
      modulusLength,
    };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: '01',
      subject: 'CN=rsa',
      issuer: `CN=${ca.name}`,
      notBefore: new Date(NOW - DAY_MS),
      notAfter: new Date(NOW + DAY_MS),
      publicKey: keys.publicKey,
      signingKey: ca.keys.privateKey,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    const pem = certificate.toString('pem');
    return { thing: 'rsa', pem, keyPem: '', certificateId: 'a'.repeat(64), serialNumber: '01' };
  }

  it('not with an RSA key of 2048 bits', async () => {
    const strong = await issueRsa(2048);

    await run(strong);

    expect(isAdmitted(strong)).toBe(true);
  });
});

describe('the revocation list', () => {
  it.each([
    ['certificate id', () => device.certificateId],
    ['CA and serial number', () => `${CA_ID}#${device.serialNumber.toUpperCase()}`],
  ])('makes a certificate inactive that is on it by %s', async (_by, key) => {
    world.revoked.add(key());

    await run(device);

    expectHeld(device, 'revoked', 'INACTIVE');
  });

  it('catches a certificate that is put on it while it is being activated', async () => {
    world.disturb = (point) => {
      if (point === 'after setStatus') world.revoked.add(device.certificateId);
    };

    await run(device);

    expectHeld(device, 'revoked', 'INACTIVE');
  });

  it('catches it also when the function is cut off before it has looked again', async () => {
    world.disturb = (point) => {
      if (point === 'after setStatus') throw new Error('cut off');
    };
    await expect(run(device)).rejects.toThrow('cut off');
    world.revoked.add(device.certificateId);
    world.disturb = () => {};

    await run(device);

    expectHeld(device, 'revoked', 'INACTIVE');
  });
});

describe('a name that a certificate has', () => {
  beforeEach(() => run(device));

  it('is not given to another one, of the same CA or of another', async () => {
    world.authorities.set('d'.repeat(64), { pem: otherCa.pem, active: true, autoRegistration: true });
    const stranger = await issue(otherCa, 'sensor1');
    await register(world.connect(stranger, 'd'.repeat(64)), world.ports());
    await run(rival);

    expectHeld(stranger, 'name-taken');
    expectHeld(rival, 'name-taken');
    expect(isAdmitted(device)).toBe(true);
    expect(world.principals.get('sensor1')?.size).toBe(1);
  });

  it.each([
    [
      'a manifest entry',
      () => world.manifest.set('sensor1', { thing: 'sensor1', certificateId: rival.certificateId, addedAt: NOW }),
    ],
    ['a rotation record', () => world.rotations.set('sensor1', rival.certificateId)],
  ])('is given to the one that %s names', async (_what, given) => {
    await run(rival);
    given();

    await run(rival);

    expect(isAdmitted(rival)).toBe(true);
    expect(world.claims.get('sensor1')).toBe(rival.certificateId);
    expect(world.held.size).toBe(0);
  });

  it('is given by a rotation record also when the manifest pins the certificate before it', async () => {
    world.manifest.set('sensor1', { thing: 'sensor1', certificateId: device.certificateId, addedAt: NOW });
    world.rotations.set('sensor1', rival.certificateId);

    await run(rival);

    expect(isAdmitted(rival)).toBe(true);
  });

  it('stays taken when its certificate is gone, until the operator names another', async () => {
    world.certificates.delete(device.certificateId);
    world.principals.clear();

    await run(rival);
    expectHeld(rival, 'name-taken');
    world.manifest.set('sensor1', { thing: 'sensor1', certificateId: rival.certificateId, addedAt: NOW });
    await run(rival);

    expect(isAdmitted(rival)).toBe(true);
  });
});

describe('what the operator decided by hand', () => {
  it.each(['INACTIVE', 'REVOKED', 'PENDING_TRANSFER'])('a certificate that is %s is left alone', async (status) => {
    const certificate = world.certificates.get(world.connect(device));
    if (certificate) certificate.status = status;

    await run(device);

    expect(world.status(device.certificateId)).toBe(status);
    expect(world.reported).toEqual([`ignored ${status}`]);
    expect(world.things.size).toBe(0);
  });

  it('a certificate that was activated by hand gets no name and no policy here', async () => {
    const certificate = world.certificates.get(world.connect(device));
    if (certificate) certificate.status = 'ACTIVE';

    await run(device);

    expect(world.policies.size).toBe(0);
    expect(world.reported).toEqual(['ignored ACTIVE']);
  });

  it('a certificate that is revoked while the checks run is not activated', async () => {
    world.disturb = (point) => {
      const certificate = world.certificates.get(device.certificateId);
      if (point === 'after attachThing' && certificate) certificate.status = 'REVOKED';
    };

    await run(device);

    expect(world.status(device.certificateId)).toBe('REVOKED');
  });

  it('an event for a certificate that is gone does nothing', async () => {
    await register('f'.repeat(64), world.ports());

    expect(world.reported).toEqual(['ignored DELETED']);
  });
});

describe('repetition', () => {
  it('a run that is cut off at any call, before or after its effect, is completed by the next event', async () => {
    const points: string[] = [];
    world.disturb = (point) => void points.push(point);
    await run(device);
    const expected = world.snapshot();

    for (const cut of points.keys()) {
      world = new World(ca);
      let calls = 0;
      world.disturb = (point) => {
        calls += 1;
        if (calls === cut + 1) throw new Error(`cut off ${point}`);
      };
      await expect(run(device)).rejects.toThrow('cut off');
      // Whatever was left undone, the device is not inside without everything it needs.
      expect(world.status(device.certificateId) === 'ACTIVE' && !isAdmitted(device)).toBe(false);
      world.disturb = () => {};

      await run(device);

      expect(world.snapshot()).toEqual(expected);
    }
    expect(points.length).toBeGreaterThan(20);
  });

  it('runs for rivals in any interleaving admit exactly one of them, whole', async () => {
    const third = await issue(ca, 'sensor1');
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.nat(2), { minLength: 2, maxLength: 6 }),
        async (scheduler, events) => {
          world = new World(ca);
          world.disturb = (point) => scheduler.schedule(Promise.resolve(), point).then(() => undefined);
          const candidates = [device, rival, third];
          const runs = events.map((n) => register(world.connect(candidates[n] ?? device), world.ports()));

          await scheduler.waitFor(Promise.all(runs));

          const taking = candidates.filter((each) => events.includes(candidates.indexOf(each)));
          expect(taking.filter(isAdmitted)).toHaveLength(1);
          expect(taking.filter((each) => world.status(each.certificateId) === 'ACTIVE')).toHaveLength(1);
          expect(world.principals.get('sensor1')?.size).toBe(1);
          expect(world.policies.size).toBe(1);
        },
      ),
      { numRuns: 100 },
    );
  });
});

it('reads certificates as openssl makes them', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-openssl-'));
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/O=Farm/CN=CA',
  );
  openssl(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-384',
    '-nodes',
    '-keyout',
    'd.key',
    '-out',
    'd.csr',
    '-subj',
    '/O=Farm/CN=sensor9',
  );
  openssl(
    'x509',
    '-req',
    '-in',
    'd.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'd.crt',
    '-days',
    '9',
  );
  world.now = Date.now() + 60_000;
  world.authorities.set(CA_ID, {
    pem: readFileSync(path.join(folder, 'ca.crt'), 'utf8'),
    active: true,
    autoRegistration: true,
  });
  const pem = readFileSync(path.join(folder, 'd.crt'), 'utf8');
  const made = { thing: 'sensor9', pem, keyPem: '', certificateId: 'b'.repeat(64), serialNumber: '' };

  await run(made);

  expect(isAdmitted(made)).toBe(true);
});
