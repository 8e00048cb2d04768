/** The real agent under its launcher gets releases of the real platform, while it goes on sending what it reads. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IoTDataPlaneClient, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { FIRMWARE_SHADOW } from '@thingstead/contracts/firmware';
import { DEFAULT_THING_TYPE } from '@thingstead/contracts/names';
import type { Release } from '@thingstead/contracts/routes/firmware';
import type { AgentProcess } from '../../support/agent-process.ts';
import { createCa, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { type PlatformAgents, platformAgents } from '../../support/platform-agent.ts';
import { unique } from '../../support/unique-name.ts';
import { untilItPasses } from '../../support/until-it-passes.ts';
import { image } from '../../unit/firmware-image.ts';
import { keyPair, signed } from '../../unit/firmware-keys.ts';
import { type FirmwarePlatform, firmwarePlatform, HARDWARE } from '../firmware/firmware-platform.ts';

const bin = path.resolve(__dirname, '../../../device/bin');
const product = DEFAULT_THING_TYPE;
const SENSOR = 'temperature';
const LIMIT_SECONDS = 90;

jest.setTimeout(4 * LIMIT_SECONDS * 1000);

const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-firmware-agent-'));
const program = `#!/bin/sh\nexec '${process.execPath}' '${path.join(bin, 'thingstead-agent.mjs')}' "$@"\n`;
/** The agent of these sources, with something beside it that takes a while to come. */
const newImage = (): Buffer =>
  image([
    { name: 'app/bin/thingstead-agent', data: program, executable: true },
    { name: 'app/picture', data: randomBytes(3_000_000) },
  ]);

describe('the agent', () => {
  let platform: Platform;
  let on: FirmwarePlatform;
  let agents: PlatformAgents;
  let agent: AgentProcess;
  let device: Awaited<ReturnType<typeof issue>>;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await firmwarePlatform(platform);
    agents = platformAgents(platform);
    const trust = on.trustOf(1);
    await on.trust(trust, on.releaseKeys[0]);
    const factory = path.join(folder, 'factory/bin');
    mkdirSync(factory, { recursive: true });
    writeFileSync(path.join(factory, 'thingstead-agent'), program, { mode: 0o755 });
    writeFileSync(path.join(folder, 'trust.json'), JSON.stringify(signed('trust', trust, on.releaseKeys[0])));
    const ca = await createCa(unique('updates'));
    await platform.registerCa(ca);
    device = await issue(ca, unique('macdonald-updates'));
    agent = start();
    await agent.seen('telemetry.published');
  });
  afterAll(async () => {
    agent?.process.kill('SIGTERM');
    await agent?.exited;
    await agents?.kill();
    agents?.remove();
    await platform?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(): AgentProcess {
    const slots = path.join(folder, 'slots');
    const launcher = [
      path.join(bin, 'thingstead-launcher.mjs'),
      '--directory',
      slots,
      '--factory',
      path.join(folder, 'factory'),
    ];
    return agents.start(
      device,
      {
        sensors: [{ name: SENSOR, source: { kind: 'simulator' }, intervalSeconds: 0.5 }],
        publish: { intervalSeconds: 0.5, basicIngest: false },
        description: { hardwareRevision: HARDWARE },
        outbox: { directory: path.join(folder, 'state') },
        logLevel: 'debug',
        firmware: {
          installer: { type: 'slots', directory: slots },
          ...{ product, trustFile: path.join(folder, 'trust.json'), healthSeconds: 2, minFreeBytes: 0 },
        },
      },
      { program: [process.execPath, ...launcher, '--pause', '0.1', '--'] },
    );
  }

  /** As a rollout does it. */
  async function offer(release: Release): Promise<string> {
    const attempt = await on.offer(device.thing, release);
    const { version, counter, size } = release;
    const desired = { attempt, product, version, counter, size };
    const payload = Buffer.from(JSON.stringify({ state: { desired } }));
    const shadow = { thingName: device.thing, shadowName: FIRMWARE_SHADOW, payload };
    await new IoTDataPlaneClient(platform.config).send(new UpdateThingShadowCommand(shadow));
    return attempt;
  }

  const row = () => on.deviceRow(device.thing);
  const runs = (counter: number) =>
    untilItPasses(async () => expect(await row()).toMatchObject({ running: { counter } }), LIMIT_SECONDS);

  it('takes a release, is killed in the middle of it, goes on, and says that it runs it; no reading is lost', async () => {
    await offer(await on.release({ product, counter: 1, image: newImage() }));
    await agent.seen('firmware.step', 2);
    // The launcher goes, and with it the agent.
    agent.process.kill('SIGKILL');
    await agent.exited;
    agent = start();
    await agent.seen('firmware.committed');
    await runs(1);

    await untilItPasses(async () => {
      const items = await platform.history(device.thing, SENSOR);
      const numbers = items.map(({ sk }) => String(sk).split('#')[1]?.split('-')).filter((each) => each !== undefined);
      const sequences = numbers.map(([, sequence]) => Number(sequence)).toSorted((a, b) => a - b);
      expect(sequences.length).toBeGreaterThan(10);
      expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index));
    }, LIMIT_SECONDS);
  });

  it('takes releases of keys that it was told to trust by those from before, and no others', async () => {
    const next = keyPair();
    await on.trust(on.trustOf(2, { releaseKeys: [next.publicKey] }), on.releaseKeys[0], next);
    await offer(await on.release({ product, counter: 2, image: newImage(), keys: [next] }));
    await agent.seen('firmware.committed', 2);
    expect(await agent.seen('firmware.trust')).toMatchObject({ version: 2 });
    await runs(2);

    await offer(await on.release({ product, counter: 3, keys: [next], hardwareRevisions: ['another'] }));
    expect(await agent.seen('firmware.failed')).toMatchObject({ failure: 'wrong-hardware' });
    expect(agent.events.filter(({ event }) => event === 'firmware.restarting')).toHaveLength(2);
  });
});
