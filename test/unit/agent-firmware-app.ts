/**
 * A version in a slot, as small as it can be: the updater on the real disk, below the real launcher, with a cloud over HTTP.
 * Arguments: counter, behaviour.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { lockFolder } from '../../device/src/agent-lock.ts';
import { systemClock } from '../../device/src/clock.ts';
import type { FirmwareCloud } from '../../device/src/firmware/firmware-cloud.ts';
import { FirmwareUpdater } from '../../device/src/firmware/firmware-updater.ts';
import { httpGet } from '../../device/src/firmware/http-get.ts';
import { nodeFirmwareFileSystem as fs } from '../../device/src/firmware/node-firmware-file-system.ts';
import { TrustStore } from '../../device/src/firmware/trust-store.ts';
import { UpdateJournal } from '../../device/src/firmware/update-journal.ts';
import { UpdateReports } from '../../device/src/firmware/update-reports.ts';
import { Slots } from '../../device/src/installers/slots.ts';
import { holdLauncherLine } from '../../device/src/launcher/launcher-line.ts';
import { Liveness } from '../../device/src/liveness.ts';

const trialSeconds = Number(process.env.APP_TRIAL_SECONDS);
const [counter = '0', behaviour = 'works'] = process.argv.slice(2);
const { APP_CLOUD = '', APP_FOLDER = '', THINGSTEAD_SLOT } = process.env;
const clock = systemClock();
const ending = new AbortController();
const end = (): void => ending.abort();
process.on('SIGTERM', end);
holdLauncherLine({ environment: process.env, clock, liveness: new Liveness(clock), gone: end });

async function call(path: string, body: object): Promise<Record<string, never> | undefined> {
  try {
    const text = JSON.stringify({ ...body, by: Number(counter) });
    const response = await fetch(`${APP_CLOUD}/${path}`, { method: 'POST', body: text, signal: ending.signal });
    return (await response.json()) as Record<string, never>;
  } catch {
    return undefined;
  }
}

const cloud: FirmwareCloud = {
  isConnected: behaviour !== 'offline',
  connected: (signal) =>
    behaviour !== 'offline' || signal.aborted
      ? Promise.resolve()
      : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  ask: async (attempt, nonce) => {
    const grant = await call('ask', { attempt, nonce });
    return grant ? { kind: 'granted', grant: grant as never } : { kind: 'unanswered' };
  },
  tell: async (attempt, status) => ((await call('tell', { attempt, status })) ? 'taken' : 'unanswered'),
};

const folder = `${APP_FOLDER}/state`;
// One that was left over from a launcher that was killed ends first.
await lockFolder(folder);
const trust = new TrustStore(fs, folder, JSON.parse(readFileSync(`${APP_FOLDER}/trust.json`, 'utf8')));
const journal = new UpdateJournal(fs, folder);
const running = trust.inSlot(THINGSTEAD_SLOT ?? '');
const quiet = (): void => {};
const context = {
  ...{
    thing: 'macdonald-pump',
    hardwareRevision: 'rev-a',
    folder,
    fs,
    journal,
    trust,
    cloud,
    get: httpGet,
    clock,
    running,
  },
  settings: { product: 'pump', healthSeconds: 0.2, trialSeconds, minFreeBytes: 1 },
  installer: new Slots({
    ...{ fs, directory: `${APP_FOLDER}/slots`, running: THINGSTEAD_SLOT, maxBoots: 3, trialSeconds, end },
  }),
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  randomId: () => randomBytes(24).toString('base64url'),
  trustChanged: quiet,
};
const updater = new FirmwareUpdater(context, new UpdateReports({ ...context, version: 'factory' }));
const updated = updater.run(ending.signal);
while (!ending.signal.aborted && behaviour !== 'offline') {
  const answer = await call('desired', {});
  if (answer) updater.wanted(answer.desired);
  await wait(100, undefined, { signal: ending.signal }).catch(quiet);
}
await updated;
process.exit(0);
