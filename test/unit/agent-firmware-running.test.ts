import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { FirmwareRequest } from '@thingstead/contracts/firmware';
import * as v from 'valibot';
import { FirmwareSchema } from '../../device/src/firmware/firmware-config.ts';
import { openFirmware } from '../../device/src/firmware/open-firmware.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { firstTrust } from './agent-firmware-world.ts';
import { FakeSession, keptLog } from './agent-session.ts';

it('what runs is said as the cloud takes it, also by a board with a long revision', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-running-'));
  const trustFile = path.join(folder, 'trust.json');
  writeFileSync(trustFile, JSON.stringify(firstTrust));
  const installer = { type: 'slots', directory: path.join(folder, 'slots') };
  const { part } = await openFirmware({
    ...{ thing: 'barn1', folder, version: '1.0.0', environment: {}, end: () => {} },
    ...{ clock: new ManualClock(), log: keptLog(), hardwareRevision: 'r'.repeat(128) },
    config: v.parse(FirmwareSchema, { installer, product: 'pump', trustFile }),
  });
  const session = new FakeSession('s');

  part.on(session, () => Promise.resolve(true), new AbortController().signal);
  await turn();

  const running = session.sent.find(({ topic }) => topic === 'device/barn1/firmware/running/v1');
  expect(v.safeParse(FirmwareRequest, running?.body).issues).toBeUndefined();
  expect(running?.body).toMatchObject({ type: 'running', hardwareRevision: 'r'.repeat(64) });
  rmSync(folder, { recursive: true });
});
