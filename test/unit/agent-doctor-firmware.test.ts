/** A trust document with which the agent would not start: what the doctor and check-config say of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../device/src/config.ts';
import { checkFirmware } from '../../device/src/doctor/firmware-check.ts';
import { main } from '../../device/src/main.ts';
import { createCa, issue } from '../support/certificates.ts';
import { firstTrust } from './agent-firmware-world.ts';

let folder: string;
const file = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-doctor-firmware-'));
  const device = await issue(await createCa('doctor'), 'barn1');
  writeFileSync(file('device.crt'), device.pem);
  writeFileSync(file('device.key'), device.keyPem, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** With a trust file that holds this text; undefined: there is none. */
async function found(trust?: string) {
  const config = {
    thing: 'barn1',
    endpoint: { host: 'localhost' },
    certificateFile: 'device.crt',
    privateKeyFile: 'device.key',
    sensors: [],
    firmware: { installer: { type: 'slots', directory: 'slots' }, product: 'pump', trustFile: 'trust.json' },
  };
  writeFileSync(file('agent.json'), JSON.stringify(config));
  if (trust !== undefined) writeFileSync(file('trust.json'), trust);
  const checked = await main(['--config', file('agent.json'), 'check-config']);
  return { checked, findings: checkFirmware(loadConfig(file('agent.json'))) };
}

it('says nothing of a device that takes no updates', () => {
  expect(checkFirmware({ firmware: undefined })).toEqual([]);
});

it.each([
  ['that is not there', undefined, /ENOENT/],
  ['that is no JSON', 'trust', /not valid JSON/],
  ['that is another document', '{}', /malformed/],
  ['that was changed', JSON.stringify({ ...firstTrust, signatures: [] }), /the first trust document is/],
])('fails for a trust document %s', async (_what, trust, words) => {
  const { checked, findings } = await found(trust);

  expect(checked).toBe(78);
  expect(findings).toEqual([
    { check: 'firmware', status: 'fail', message: expect.stringMatching(words), advice: expect.any(String) },
  ]);
});

it('is content with one that is good', async () => {
  const { checked, findings } = await found(JSON.stringify(firstTrust));

  expect(checked).toBe(0);
  expect(findings).toMatchObject([{ status: 'ok', message: expect.stringContaining('version 1') }]);
});
