/** The device's side of a renewal, against the cloud's own decisions. */
import 'reflect-metadata';
import { CertificateStore } from '../../device/src/certificates/certificate-store.ts';
import { renewalTime } from '../../device/src/certificates/renewal-time.ts';
import { Device, type DeviceOptions, IN_TOKEN } from './agent-certificate-device.ts';
import { type Authorities, authorities, DAY_MS, NOW, THING, World } from './certificate-world.ts';
import { SimulatedDisk } from './outbox-disk.ts';

/** By then every thing's time has come, with 100 days of life. */
const DUE = NOW + 26 * DAY_MS;
const HOUR_SECONDS = 3600;
let by: Authorities;
let world: World;
let device: Device;

beforeAll(async () => {
  by = await authorities();
});
beforeEach(() => {
  world = new World(by);
  world.now = DUE;
});
afterEach(async () => {
  await device?.cutPower();
  expect(device?.problems).toEqual([]);
});

const first = (): string => by.device.certificateId;

function start(options: DeviceOptions = {}, disk = new SimulatedDisk()): Device {
  device = new Device(by, world, disk, options);
  return device;
}

const hasRenewed = (): boolean => device.present !== first();

describe('a device whose certificate is due', () => {
  it('makes a new key, gets a certificate, connects with it, and the old one is retired', async () => {
    start();

    expect(await device.until(hasRenewed)).toBe(true);

    expect(world.working).toEqual([device.present]);
    expect(device.connectedWith).toBe(device.present);
    expect(device.connections).toEqual([first(), device.present]);
    expect(device.identities.present.key).not.toEqual({ kind: 'file', pem: by.device.keyPem });
    const store = new CertificateStore(device.disk, '/state/certificate');
    expect([store.current()?.certificate, store.next()]).toEqual([device.identities.present.certificate, undefined]);
  });

  it('starts with the new pair from then on, and renews that one in its turn', async () => {
    start();
    await device.until(hasRenewed);
    const second = device.present;
    await device.cutPower();

    start({}, new SimulatedDisk(device.disk.files));
    await device.until(() => device.isConnected);
    expect(device.connections).toEqual([second]);

    await device.cutPower();
    world.now += 90 * DAY_MS;
    start({}, new SimulatedDisk(device.disk.files));
    expect(await device.until(() => device.present !== second)).toBe(true);
    expect(world.working).toEqual([device.present]);
  });

  it('waits for its time', async () => {
    world.now = NOW;
    start();

    await device.until(() => device.isConnected);
    expect(await device.until(() => world.said.length > 0, HOUR_SECONDS)).toBe(false);
    expect(device.disk.trace).toEqual([]);
  });

  it('does it at once when an operator wants it, and once', async () => {
    world.now = NOW - DAY_MS;
    world.rows.set(THING, { thing: THING, version: 1, requests: [], asked: 0, windowEndsAt: 0, wantedAt: world.now });
    start();
    await device.until(() => device.isConnected);
    const wish = world.now;

    // Retained, so that it comes on every connection.
    const after = device.until(hasRenewed);
    await device.until(() => {
      device.wish(wish);
      return hasRenewed();
    });
    await after;
    const asked = world.said.length;
    device.wish(wish);

    expect(await device.until(() => world.said.length > asked, HOUR_SECONDS)).toBe(false);
  });

  it('keeps a key that is in a token, and gets a new certificate for it', async () => {
    start({ factoryKey: IN_TOKEN });

    expect(await device.until(hasRenewed)).toBe(true);
    expect(device.identities.present.key).toBe(IN_TOKEN);
    expect(device.disk.files.get('current.key')?.toString()).not.toContain('PRIVATE');
  });

  it('begins anew with the key in the token, when it had begun with one in a file', async () => {
    start({ loses: (what) => what === 'answer' });
    await device.until(() => world.said.length > 0);
    await device.cutPower();
    expect(device.disk.files.get('next.key')?.toString()).toContain('PRIVATE');

    start({ factoryKey: IN_TOKEN }, new SimulatedDisk(device.disk.files));
    expect(await device.until(hasRenewed)).toBe(true);
    expect(device.identities.present.key).toBe(IN_TOKEN);
    expect(device.disk.files.get('current.key')?.toString()).not.toContain('PRIVATE');
  });
});

describe('a renewal that does not go well', () => {
  it.each(['question', 'answer'])(
    'is asked for again when a %s is lost, and the same certificate taken',
    async (which) => {
      let lost = 0;
      start({ loses: (what) => what === which && ++lost <= 2 });

      expect(await device.until(hasRenewed, 12 * HOUR_SECONDS)).toBe(true);
      expect(world.signatures).toBe(1);
      expect(world.working).toEqual([device.present]);
    },
  );

  it('goes on with the old pair while the new one does not connect, and tries again', async () => {
    start();
    // The registry has lost it: deactivated by hand.
    const real = world.working;
    expect(real).toEqual([first()]);
    let isBroken = true;
    world.disturb = (point) => {
      if (!isBroken || point !== 'before accepted') return;
      for (const [id, each] of world.certificates) if (id !== first()) each.status = 'INACTIVE';
    };

    expect(await device.until(() => device.connections.length >= 3)).toBe(true);
    expect(device.connections.map((each) => (each.startsWith('-') ? 'refused' : each))).toEqual([
      first(),
      'refused',
      first(),
    ]);
    expect(hasRenewed()).toBe(false);

    isBroken = false;
    expect(await device.until(hasRenewed, 24 * HOUR_SECONDS)).toBe(true);
  });

  it('waits for an operator to sign', async () => {
    world.settings = { ...world.settings, issuer: 'OPERATOR' };
    start();
    expect(await device.until(() => world.said.length > 0)).toBe(true);
    expect(device.connectedWith).toBe(first());

    world.settings = { ...world.settings, issuer: 'KMS' };
    expect(await device.until(hasRenewed, 3 * HOUR_SECONDS)).toBe(true);
  });

  it('does not take a certificate that is not its own', async () => {
    const honest = world.message.bind(world);
    world.message = async (id, body) => {
      const said = await honest(id, body);
      if (said?.answer.type !== 'renew' || !('certificate' in said.answer)) return said;
      return { verdict: 'accepted', answer: { type: 'renew', certificate: by.device.pem } };
    };
    start();

    expect(await device.until(hasRenewed, 2 * HOUR_SECONDS)).toBe(false);
    expect(device.connections).toEqual([first()]);
  });

  it('does not end the agent when the disk is full', async () => {
    const disk = new SimulatedDisk();
    start({}, disk);
    const fault = disk.fault;
    let isFull = true;
    disk.fault = (operation) => {
      if (isFull && operation === 'write') throw new Error('ENOSPC');
      fault(operation);
    };

    expect(await device.until(hasRenewed, HOUR_SECONDS / 2)).toBe(false);
    expect(device.connectedWith).toBe(first());
    isFull = false;
    expect(await device.until(hasRenewed, 3 * HOUR_SECONDS)).toBe(true);
  });
});

describe('a device whose certificate expired on the shelf', () => {
  beforeEach(() => {
    world.now = NOW + 3 * 365 * DAY_MS;
  });

  it('comes back by itself, with another certificate', async () => {
    start({ recovers: true });

    expect(await device.until(hasRenewed)).toBe(true);
    expect(world.working).toEqual([device.present]);
    expect(device.connectedWith).toBe(device.present);
  });

  it('comes back with another certificate for the same key, when that is in a token', async () => {
    start({ recovers: true, factoryKey: IN_TOKEN });

    expect(await device.until(hasRenewed)).toBe(true);
    expect(world.working).toEqual([device.present]);
    expect(device.identities.present.key).toBe(IN_TOKEN);
  });

  it('tries again and again without an address, and once its clock was wrong, goes on', async () => {
    start();

    expect(await device.until(hasRenewed, 600)).toBe(false);
    expect(device.connections.every((each) => each === `-${first()}`)).toBe(true);
  });
});

it('lets devices that were made together renew one after the other, when a third of the life is left at the latest', () => {
  const validity = { notBefore: new Date(NOW), notAfter: new Date(NOW + 90 * DAY_MS) };
  const times = Array.from({ length: 500 }, (_, n) => renewalTime(`barn-sensor${n}`, validity));

  expect(Math.min(...times)).toBeGreaterThanOrEqual(NOW + 60 * DAY_MS);
  expect(Math.max(...times)).toBeLessThan(NOW + 67.5 * DAY_MS);
  const inFirstHalf = times.filter((each) => each < NOW + 63.75 * DAY_MS).length;
  expect(Math.abs(inFirstHalf - 250)).toBeLessThan(60);
  expect(renewalTime('barn-sensor1', validity, 10)).toBeGreaterThanOrEqual(NOW + 80 * DAY_MS);
  expect(renewalTime('barn-sensor1', validity)).toBe(times[1]);
});
