/** The example of an app, as a reader of its page runs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startAgentProcess } from '../../support/agent-process.ts';
import { createCa, issue } from '../../support/certificates.ts';
import { newPerson, PASSWORD, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { accessRows } from '../access/access-platform.ts';

const app = path.resolve(__dirname, '../../../examples/app/app.ts');
const thing = unique('lamp');
let platform: Platform;
let folder: string;
let mary: Person;

beforeAll(async () => {
  platform = await startPlatform();
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-app-'));
  const names = ['UserPoolId', 'AppClientId', 'IdentityPoolId', 'ApiUrl'];
  const outputs = { all: Object.fromEntries(names.map((name) => [name, platform.output(name)])) };
  const { region, endpoint } = platform.config;
  writeFileSync(path.join(folder, 'endpoints.json'), JSON.stringify({ region, awsEndpoint: endpoint, outputs }));
  const ca = await createCa(unique('app'));
  await platform.registerCa(ca);
  await platform.join(await issue(ca, thing));
  await platform.idle();
  mary = await newPerson(platform);
});
afterAll(async () => {
  await platform?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts it; its lines are events, like those of an agent. */
function start(environment: Readonly<Record<string, string>>, ...things: readonly string[]) {
  const program = [process.execPath, app];
  return startAgentProcess([path.join(folder, 'endpoints.json'), ...things], { environment, program });
}

describeLocally('the endpoints file', 'the example of an app', () => {
  const environment = (): Record<string, string> => ({ THINGSTEAD_EMAIL: mary.email, THINGSTEAD_PASSWORD: PASSWORD });

  it('says what it needs, and what is wrong', async () => {
    const child = spawn(process.execPath, [app], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said] = await once(child.stderr, 'data');
    expect(String(said)).toContain('THINGSTEAD_EMAIL');
    expect((await once(child, 'close'))[0]).toBe(2);
  });

  it('follows the state of a thing of its person over MQTT, and ends when it is told to', async () => {
    await accessRows(platform).grant(mary.person, thing, 'owner');
    const running = start(environment());

    expect(await running.seen('thing')).toMatchObject({ thing, role: 'owner' });
    expect(await running.seen('connected')).toEqual({ event: 'connected', thing });
    const { version } = await mary.api.patchState({ params: { thing }, body: { desired: { lamp: 'on' } } });
    expect(await running.seen('change')).toMatchObject({ version, desired: { lamp: 'on' } });

    running.process.kill('SIGTERM');
    expect(await running.exited).toEqual({ code: 0, signal: null });
    expect(running.output()).not.toContain('X-Amz-Signature');
  });

  it('says that it may not follow a thing of somebody else, and goes on trying', async () => {
    await accessRows(platform).grant(mary.person, thing, 'owner');
    const running = start(environment(), unique('others'));

    expect(await running.seen('refused')).toMatchObject({ reason: expect.any(String) });
    await running.seen('disconnected');

    running.process.kill('SIGTERM');
    expect(await running.exited).toEqual({ code: 0, signal: null });
  });

  it('has nothing to follow for somebody who has nothing', async () => {
    const { email } = await newPerson(platform);
    const running = start({ THINGSTEAD_EMAIL: email, THINGSTEAD_PASSWORD: PASSWORD });
    await running.seen('nothing');
    expect((await running.exited).code).toBe(0);
  });
});
