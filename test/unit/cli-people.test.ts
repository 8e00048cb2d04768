/** The command line for people: what an operator does with accounts, and a person with things, on the platform as it is deployed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describingDevice, STATION } from '../features/onboarding/describing-device.ts';
import { createCa, issue } from '../support/certificates.ts';
import { type CommandEnd, runCommandLine } from '../support/command-line.ts';
import { connectOverWebSocket, WebSocketRefused } from '../support/mqtt-websocket.ts';
import { newPerson, PASSWORD } from '../support/person.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import type { OutboxEntry } from '../support/runtime.ts';
import { describeLocally } from '../support/target.ts';

const root = path.resolve(__dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-people-'));
const endpointsFile = path.join(folder, 'endpoints.json');
const LOCAL = ['--endpoints', endpointsFile];
const MARY = 'mary@example.com';
const OLIVIA = 'olivia@example.com';
const THING = 'macdonald-barn1';
let platform: Platform;

/** Runs a command with this password in the environment. */
function run(password: string, ...args: readonly string[]): Promise<CommandEnd> {
  process.env.THINGSTEAD_PASSWORD = password;
  return runCommandLine([...LOCAL, ...args]);
}

/** Runs a command in a process of its own, where there is no password and nobody to ask. */
async function runUnasked(
  args: readonly string[],
  cwd = folder,
): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const { THINGSTEAD_PASSWORD: _, ...env } = process.env;
  const child = spawn(process.execPath, [path.join(root, 'cli/bin/thingstead.mjs'), ...args], {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [status] = await once(child, 'close');
  return { status, stderr };
}

/** The rows of a command that must succeed. */
async function thingstead(...args: readonly string[]): Promise<CommandEnd['rows']> {
  const { status, stderr, rows } = await run(PASSWORD, ...args);
  if (status !== 0) throw new Error(`thingstead ${args.join(' ')} exited with ${status}: ${stderr}`);
  return rows;
}

beforeAll(async () => {
  platform = await startPlatform();
  const { config, mqtt, output } = platform;
  const names = ['UserPoolId', 'AppClientId', 'ApiUrl'];
  const endpoints = {
    region: config.region,
    awsEndpoint: config.endpoint,
    mqtt: { host: mqtt.host, port: mqtt.port },
    rootCaFile: mqtt.rootCaFile,
    operator: config.credentials,
    outputs: { All: Object.fromEntries(names.map((name) => [name, output(name)])) },
  };
  writeFileSync(endpointsFile, JSON.stringify(endpoints), { mode: 0o600 });
  process.env.XDG_CONFIG_HOME = path.join(folder, 'config');
  const ca = await createCa('field');
  await platform.registerCa(ca);
  const device = await issue(ca, THING);
  await platform.join(device);
  const { client, describe: tell } = await describingDevice(platform, device);
  await tell(STATION);
  await client.endAsync();
  await platform.idle();
});
afterAll(async () => {
  await platform?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describeLocally('the endpoints file', 'an operator', () => {
  it('makes accounts', async () => {
    const [olivia] = await thingstead('user', 'create', OLIVIA, '--set-password', '--group', 'operator');
    const [mary] = await thingstead('user', 'create', MARY, '--set-password');

    expect(olivia).toMatchObject({ email: OLIVIA, status: 'CONFIRMED', enabled: true, groups: ['operator'] });
    expect(mary).toMatchObject({ email: MARY, groups: [] });
    expect((await thingstead('user', 'list')).map((each) => each.email)).toEqual([MARY, OLIVIA]);
    expect(await thingstead('user', 'list', '--group', 'operator')).toEqual([
      expect.objectContaining({ email: OLIVIA }),
    ]);
    expect((await run(PASSWORD, 'user', 'create', MARY, '--set-password')).status).toBe(5);
  });

  it('makes none with a password that the pool does not take, or without one', async () => {
    const weak = await run('short', 'user', 'create', 'weak@example.com', '--set-password');
    expect(weak).toMatchObject({ status: 2, stderr: expect.stringMatching(/^error: .*[Pp]assword/) });
    expect((await run(PASSWORD, 'user', 'show', 'weak@example.com')).status).toBe(4);

    const unasked = await runUnasked([...LOCAL, 'user', 'create', 'weak@example.com', '--set-password']);
    expect(unasked).toMatchObject({ status: 2, stderr: expect.stringContaining('THINGSTEAD_PASSWORD') });
  });

  it('invites by mail', async () => {
    const [invited] = await thingstead('user', 'create', 'invited@example.com');
    expect(invited).toMatchObject({ status: 'FORCE_CHANGE_PASSWORD' });
    const response = await fetch(`${platform.config.endpoint}/_local/outbox`);
    const { entries } = (await response.json()) as { readonly entries: readonly OutboxEntry[] };
    expect(entries).toContainEqual(expect.objectContaining({ destination: 'invited@example.com' }));
  });

  it('gives a site with its things to a person', async () => {
    const [site] = await thingstead('site', 'give', 'macdonald', '--to', MARY, '--as', OLIVIA);
    const [mary] = await thingstead('user', 'show', MARY);

    expect(site).toMatchObject({ site: 'macdonald', owner: mary?.person });
    expect(mary?.grants).toEqual([expect.objectContaining({ target: 'site#macdonald', role: 'owner' })]);
    expect((await run(PASSWORD, 'site', 'give', 'macdonald', '--to', MARY, '--as', MARY)).status).toBe(3);
  });

  it('changes groups, and shuts an account', async () => {
    expect(await thingstead('user', 'add-to-group', 'invited@example.com', 'support')).toMatchObject([
      { groups: ['support'] },
    ]);
    expect(await thingstead('user', 'remove-from-group', 'invited@example.com', 'support')).toMatchObject([
      { groups: [] },
    ]);
    expect((await run(PASSWORD, 'user', 'add-to-group', MARY, 'kings')).status).toBe(2);

    expect(await thingstead('user', 'disable', 'invited@example.com')).toMatchObject([{ enabled: false }]);
    expect(await thingstead('user', 'enable', 'invited@example.com')).toMatchObject([{ enabled: true }]);
  });

  it('cuts the apps of a disabled account off from MQTT, and lets those of an enabled one in', async () => {
    const john = await newPerson(platform);
    await thingstead('site', 'give', 'johnsfarm', '--to', john.email, '--as', OLIVIA);
    const identityId = await john.identify();
    await platform.idle();
    const { region, endpoint = '' } = platform.config;
    // They outlive the sign-in.
    const credentials = await john.credentials();
    const connect = (tab: string) =>
      connectOverWebSocket({ endpoint, region, credentials, clientId: `${identityId}-${tab}` });
    const app = await connect('phone');

    await thingstead('user', 'disable', john.email);

    await app.closed;
    await platform.idle();
    await expect(connect('tablet')).rejects.toBeInstanceOf(WebSocketRefused);
    // Longer than clocks may differ: what begins at the very moment is ended too.
    await platform.advance(10);
    await thingstead('user', 'enable', john.email);
    await platform.idle();
    await (await connect('page')).ping();
  });

  it('deletes an account that has nothing, and no other', async () => {
    const refused = await run(PASSWORD, 'user', 'delete', MARY, '--yes');
    expect(refused).toMatchObject({ status: 5, stderr: expect.stringContaining('owner of site#macdonald') });
    expect((await run(PASSWORD, 'user', 'delete', 'invited@example.com')).status).toBe(2);

    await thingstead('user', 'delete', 'invited@example.com', '--yes');
    expect((await run(PASSWORD, 'user', 'show', 'invited@example.com')).status).toBe(4);
  });
});

describeLocally('the endpoints file', 'a person', () => {
  it('sees things, and one of them', async () => {
    expect(await thingstead('things', '--as', MARY)).toEqual([
      expect.objectContaining({ thing: THING, role: 'owner', model: STATION.model, connected: false }),
    ]);
    expect(await thingstead('things', '--as', MARY, '--connected')).toEqual([]);
    expect(await thingstead('things', THING, '--as', MARY)).toEqual([
      expect.objectContaining({ thing: THING, latest: {} }),
    ]);
    expect(await thingstead('things', '--as', OLIVIA)).toEqual([]);
    expect((await run(PASSWORD, 'things', 'greenhouse7', '--as', MARY)).status).toBe(4);
  });

  it('needs no password while the sign-in lasts, which nobody else on the machine can read', async () => {
    expect((await runUnasked([...LOCAL, 'things', '--as', MARY])).status).toBe(0);
    const kept = path.join(folder, 'config/thingstead/sign-ins');
    expect(statSync(kept).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(kept)) {
      expect(statSync(path.join(kept, file)).mode & 0o777).toBe(0o600);
      expect(readFileSync(path.join(kept, file), 'utf8')).not.toContain(PASSWORD);
    }

    // The access token is over, the sign-in is not.
    await platform.advance(1000);
    expect((await runUnasked([...LOCAL, 'things', '--as', MARY])).status).toBe(0);
  });

  it('is asked again when the sign-in is over', async () => {
    await thingstead('sign-out', '--as', MARY);
    expect((await runUnasked([...LOCAL, 'things', '--as', MARY])).status).toBe(2);
    const wrong = await run('Wrong-Horse-Battery-1', 'things', '--as', MARY);
    expect(wrong).toMatchObject({ status: 3, stderr: expect.stringContaining('The sign-in failed') });
    expect((await run(PASSWORD, 'sign-out', '--as', MARY)).status).toBe(4);

    // A file that cannot be read is no sign-in, and one that the pool has ended is none.
    await thingstead('things', '--as', MARY);
    const kept = path.join(folder, 'config/thingstead/sign-ins');
    for (const file of readdirSync(kept)) writeFileSync(path.join(kept, file), '{');
    await thingstead('things', '--as', MARY);
    await thingstead('user', 'disable', MARY);
    await thingstead('user', 'enable', MARY);
    await platform.advance(1000);
    expect((await runUnasked([...LOCAL, 'things', '--as', MARY])).status).toBe(2);
    await thingstead('things', '--as', MARY);
  });

  it('sets desired state, unless somebody else has changed it', async () => {
    const [set] = await thingstead('state', 'set', THING, 'fan=on', 'level=3', 'night={"dim":true}', '--as', MARY);
    expect(set).toMatchObject({ desired: { fan: 'on', level: 3, night: { dim: true } } });

    const version = String(set?.version);
    await thingstead('state', 'set', THING, 'fan=null', '--if-version', version, '--as', MARY);
    expect((await run(PASSWORD, 'state', 'set', THING, 'fan=on', '--if-version', version, '--as', MARY)).status).toBe(
      5,
    );
    const [found] = await thingstead('state', 'get', THING, '--as', MARY);
    expect(found?.desired).toEqual(expect.not.objectContaining({ fan: expect.anything() }));
    expect((await run(PASSWORD, 'state', 'set', THING, 'fan', '--as', MARY)).status).toBe(2);
  });

  it('gives a command, once, and sees what becomes of it', async () => {
    const give = ['command', 'give', THING, 'gate.open', '--payload', '{"width":2}', '--key', 'k1', '--ttl', '60'];
    const [given] = await thingstead(...give, '--as', MARY);
    expect(given).toMatchObject({ thing: THING, name: 'gate.open', payload: { width: 2 } });
    expect(await thingstead(...give, '--as', MARY)).toMatchObject([{ id: given?.id }]);

    await platform.advance(120);

    const [ended] = await thingstead('command', 'show', THING, String(given?.id), '--as', MARY);
    expect(ended).toMatchObject({ state: 'EXPIRED' });
    expect(await thingstead('command', 'list', THING, '--as', MARY)).toMatchObject([
      { id: given?.id, state: 'EXPIRED' },
    ]);
    const waited = await run(PASSWORD, ...give, '--wait', '--as', MARY);
    expect(waited).toMatchObject({ status: 6, stderr: expect.stringContaining('did not do it in time') });
  });

  it('is told in the words of the API what is wrong', async () => {
    const code = await run(PASSWORD, 'pair', 'ACDEF346', '--as', MARY);
    expect(code).toMatchObject({ status: 4, stderr: expect.stringMatching(/^error: /) });
    const nonsense = await run(PASSWORD, 'pair', 'no code', '--as', MARY);
    expect(nonsense).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('cause: body.code must be the 8 characters'),
    });
    expect((await run(PASSWORD, 'things')).status).toBe(2);
  });

  it('signs in with the account of the app', async () => {
    const { email } = await newPerson(platform);
    expect(await thingstead('things', '--as', email)).toEqual([]);
  });
});

describe('without the local runtime', () => {
  it('people say which deployment is theirs, in the file that the CDK command line writes', async () => {
    const empty = path.join(folder, 'empty');
    mkdirSync(empty);
    const unsaid = await runUnasked(['things', '--as', MARY], empty);
    expect(unsaid).toMatchObject({ status: 2, stderr: expect.stringContaining('--outputs-file outputs.json') });

    writeFileSync(
      path.join(folder, 'outputs.json'),
      JSON.stringify({ ThingsteadState: { UserPoolId: 'eu-west-1_x' } }),
    );
    const missing = await runUnasked(['things', '--as', MARY, '--outputs', '../outputs.json'], empty);
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('the output ApiUrl is missing') });
  });
});
