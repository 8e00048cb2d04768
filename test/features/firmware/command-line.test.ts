/** Firmware released by the command line: with a key in KMS, with two people who have a key each, with keys that change. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateThingTypeCommand } from '@aws-sdk/client-iot';
import { FIRMWARE_KEY_ALIASES } from '@thingstead/contracts/firmware-store';
import { readRelease } from '@thingstead/crypto/firmware-release';
import { readTrust } from '@thingstead/crypto/firmware-trust';
import { loadConfig } from '../../../device/src/config.ts';
import { commandLine } from '../../support/command-line.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-firmware-'));
const file = (name: string): string => path.join(folder, name);

describeLocally('the endpoints file', 'firmware by the command line', () => {
  let platform: Platform;
  let thingstead: ReturnType<typeof commandLine>;
  let operator: Person;

  beforeAll(async () => {
    platform = await startPlatform();
    operator = await newPerson(platform, { groups: ['operator'] });
    thingstead = commandLine(platform, folder);
    writeFileSync(file('image'), 'an image');
  });
  afterAll(async () => {
    await platform?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: readonly string[]) => thingstead('firmware', ...args);

  const as = () => ['--as', operator.email];
  const read = (name: string): unknown => JSON.parse(readFileSync(file(name), 'utf8'));
  const manifest = (version: string) => [
    '--product',
    'fan',
    '--hardware',
    'a',
    '--hardware',
    'b',
    '--version',
    version,
  ];

  it('makes keys that nobody else on the machine can read, and overwrites none', async () => {
    for (const name of ['ann.key', 'bob.key']) {
      const { status, rows } = await run('key', 'create', file(name));
      expect({ status, rows }).toEqual({ status: 0, rows: [expect.objectContaining({ keyId: expect.any(String) })] });
      expect(statSync(file(name)).mode & 0o777).toBe(0o600);
      expect((await run('key', 'show', file(name))).rows).toEqual([expect.objectContaining({ keyId: rows[0].keyId })]);
    }
    const before = readFileSync(file('ann.key'));
    expect((await run('key', 'create', file('ann.key'))).status).not.toBe(0);
    expect(readFileSync(file('ann.key'))).toEqual(before);
  });

  it('releases with a key of KMS, once it is trusted', async () => {
    const kms = ['--kms-key', FIRMWARE_KEY_ALIASES.release];
    const init = ['--release-kms-key', FIRMWARE_KEY_ALIASES.release, ...kms, '--out', file('trust-1.json')];
    expect(await run('trust', 'init', ...init)).toMatchObject({ status: 0, rows: [{ version: 1 }] });
    expect(readTrust(read('trust-1.json'))).toMatchObject({ ok: true, trust: { version: 1, threshold: 1 } });
    expect((await run('trust', 'publish', file('trust-1.json'), ...as())).rows).toEqual([{ version: 1 }]);

    const unknown = await run('publish', file('image'), ...manifest('1.0.0'), ...kms, ...as());
    expect(unknown).toMatchObject({ status: 5, stderr: expect.stringContaining('no thing type fan') });
    await platform.iot.send(new CreateThingTypeCommand({ thingTypeName: 'fan' }));
    const published = await run('publish', file('image'), ...manifest('1.0.0'), ...kms, ...as());
    const first = { counter: 1, version: '1.0.0', state: 'PUBLISHED', hardwareRevisions: ['a', 'b'], size: 8 };
    expect(published).toMatchObject({ status: 0, rows: [first] });
    expect((await run('publish', file('image'), ...manifest('1.1.0'), ...kms, ...as())).rows).toMatchObject([
      { counter: 2 },
    ]);
    expect((await run('list', 'fan', ...as())).rows).toMatchObject([{ counter: 2 }, { counter: 1 }]);
    expect((await run('current', 'fan', '2', ...as())).rows).toMatchObject([{ counter: 2 }]);
    expect((await run('yank', 'fan', '2', '--reason', 'it burns', ...as())).rows).toMatchObject([{ state: 'YANKED' }]);
    expect((await run('current', 'fan', ...as())).status).toBe(4);
  });

  it('makes a device that believes this trust, and none with a file that is no trust document', async () => {
    const ca = ['--dir', file('ca'), '--name', 'lab'];
    await thingstead('ca', 'create', ...ca);
    const create = (name: string, trust: string) =>
      thingstead(
        ...['device', 'create', name, '--ca', 'lab', '--dir', file('ca'), '--out', file(name)],
        ...['--product', 'fan', '--trust', file(trust)],
      );
    expect((await create('fan1', 'trust-1.json')).status).toBe(0);
    expect(read('fan1/trust.json')).toEqual(read('trust-1.json'));
    const config = loadConfig(file('fan1/device.json'));
    expect(config.firmware).toMatchObject({
      ...{ product: 'fan', trustFile: file('fan1/trust.json') },
      installer: { type: 'slots', directory: file('fan1/slots') },
    });
    expect(config.files).toMatchObject({ incoming: file('fan1/in'), outgoing: file('fan1/out') });

    expect((await create('fan2', 'image')).status).not.toBe(0);
    const at = ['--ca', 'lab', '--dir', file('ca'), '--out', file('fan2')];
    const untrusting = await thingstead('device', 'create', 'fan2', ...at, '--product', 'fan');
    expect(untrusting).toMatchObject({ status: 2, stderr: expect.stringContaining('without --trust') });
    expect(existsSync(file('fan2'))).toBe(false);
  });

  it('hands trust on to two people with a key each, of whom each alone can release nothing', async () => {
    const keys = ['ann.key', 'bob.key'].flatMap((name) => ['--release-key', file(name)]);
    const { rows } = await run('key', 'show', '--kms-key', FIRMWARE_KEY_ALIASES.release);
    const by = ['--kms-key', FIRMWARE_KEY_ALIASES.release, '--key', file('ann.key')];
    const rotate = [file('trust-1.json'), ...keys, '--remove', rows[0].keyId, '--threshold', '2', ...by];
    const begun = await run('trust', 'rotate', ...rotate, '--out', file('trust-2.json'));
    expect(begun.rows).toMatchObject([{ version: 2, missing: expect.stringContaining('1 of 2 keys') }]);
    expect((await run('trust', 'publish', file('trust-2.json'), ...as())).status).toBe(5);
    await run('sign', file('trust-2.json'), '--key', file('bob.key'));
    expect((await run('trust', 'publish', file('trust-2.json'), ...as())).rows).toEqual([{ version: 2 }]);
    const shown = await run('trust', 'show', '--out', file('newest.json'), ...as());
    expect(shown.rows).toMatchObject([{ version: 2, threshold: 2 }]);
    expect(read('newest.json')).toEqual(read('trust-2.json'));

    const anns = [...manifest('2.0.0'), '--key', file('ann.key'), '--sign-only', file('release.json'), ...as()];
    expect((await run('publish', file('image'), ...anns)).status).toBe(0);
    const alone = await run('publish', file('image'), '--signed', file('release.json'), ...as());
    expect(alone).toMatchObject({ status: 5, stderr: expect.stringContaining('1 of 2 keys') });
    const signed = await run('sign', file('release.json'), '--key', file('bob.key'));
    expect(signed.stderr).toContain('"version": "2.0.0"');
    const both = await run('publish', file('image'), '--signed', file('release.json'), ...as());
    expect(both.rows).toMatchObject([{ counter: 3, state: 'PUBLISHED' }]);
    writeFileSync(file('other'), 'another image');
    expect((await run('publish', file('other'), '--signed', file('release.json'), ...as())).status).toBe(2);
  });

  it('signs what was released before with the keys that are trusted now', async () => {
    expect((await run('show', 'fan', '1', '--out', file('old.json'), ...as())).status).toBe(0);
    await run('sign', file('old.json'), '--key', file('ann.key'), '--key', file('bob.key'));
    expect((await run('publish', file('image'), '--signed', file('old.json'), ...as())).status).toBe(0);

    const [{ release }] = (await run('show', 'fan', '1', ...as())).rows;
    const trust = readTrust(read('trust-2.json'));
    expect(trust.ok && readRelease(trust.trust, release)).toMatchObject({ ok: true });
  });

  it('says what is missing', async () => {
    expect((await run('publish', file('image'), ...manifest('3'), ...as())).stderr).toContain('Nobody signs it');
    expect((await run('publish', file('image'), '--key', file('ann.key'), ...as())).stderr).toContain('--product');
    expect((await run('publish', file('nothing'), ...as())).status).toBe(2);
    expect((await run('sign', file('image'), '--key', file('ann.key'))).status).toBe(2);
    expect((await run('key', 'show', '--kms-key', 'alias/none')).status).toBe(4);
  });
});
