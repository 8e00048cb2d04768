/** `thingstead-agent doctor` against the runtime and against servers that are wrong in one way each. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { type AgentProcess, startAgentProcess } from '../../support/agent-process.ts';
import { type CertificateAuthority, createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly advice?: string;
}

const DAY_MS = 86_400_000;
let platform: Platform;
let ca: CertificateAuthority;
/** Has joined. */
let device: DeviceCertificate;
let folder: string;
const agents: AgentProcess[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-doctor-'));
  platform = await startPlatform();
  ca = await createCa(unique('doctor'));
  await platform.registerCa(ca);
  device = await issue(ca, unique('macdonald-doctor1'));
  await platform.join(device);
});
afterEach(async () => {
  for (const agent of agents.splice(0)) {
    agent.process.kill('SIGKILL');
    await agent.exited;
  }
  for (const server of servers.splice(0)) server.close();
});
afterAll(async () => {
  await platform.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A configuration in a folder of its own; gives its file. */
function configure(change: object = {}, { pem, keyPem, thing } = device): string {
  const own = mkdtempSync(path.join(folder, 'device-'));
  const { host, port, rootCaFile } = platform.mqtt;
  writeFileSync(path.join(own, 'device.crt'), pem);
  writeFileSync(path.join(own, 'private.key'), keyPem, { mode: 0o600 });
  const config = {
    thing,
    endpoint: { host, port },
    certificateFile: 'device.crt',
    privateKeyFile: 'private.key',
    rootCaFile,
    sensors: [{ name: 'temperature', source: { kind: 'simulator' }, intervalSeconds: 0.1 }],
    publish: { intervalSeconds: 0.3 },
    reconnect: { baseSeconds: 0.2 },
    ...change,
  };
  const file = path.join(own, 'agent.json');
  writeFileSync(file, JSON.stringify(config));
  return file;
}

function start(...args: readonly string[]): AgentProcess {
  const agent = startAgentProcess(args);
  agents.push(agent);
  return agent;
}

/** What it finds, by check. */
async function doctor(file: string, ...options: readonly string[]) {
  const agent = start('--config', file, 'doctor', '--json', ...options);
  const { code } = await agent.exited;
  const { ok, findings } = JSON.parse(agent.output()) as { ok: boolean; findings: readonly Finding[] };
  expect(code).toBe(ok ? 0 : 1);
  expect(agent.output()).not.toContain('PRIVATE KEY');
  const of = (check: string): Finding | undefined => findings.find((each) => each.check === check);
  return { ok, of, checks: findings.map((each) => each.check) };
}

async function serverWith(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

/** A TLS server for a name, with a certificate of a CA of its own; gives the configuration that reaches it. */
async function tlsServer(
  name: string,
  dates: { notBefore?: Date; notAfter?: Date } = {},
  trusted = true,
): Promise<object> {
  const serverCa = await createCa('server');
  const own = await issue(serverCa, name, dates);
  const port = await serverWith(
    createTlsServer({ cert: own.pem, key: own.keyPem, requestCert: true, rejectUnauthorized: false }),
  );
  const rootCaFile = path.join(mkdtempSync(path.join(folder, 'ca-')), 'ca.pem');
  writeFileSync(rootCaFile, serverCa.pem);
  return { endpoint: { host: 'localhost', port }, ...(trusted ? { rootCaFile } : {}) };
}

describe('thingstead-agent doctor', () => {
  it('finds nothing wrong with a device that has joined, and connects', async () => {
    const { ok, of, checks } = await doctor(configure());

    expect(ok).toBe(true);
    expect(checks).toEqual([
      'configuration',
      'identity',
      'certificate-dates',
      'clock',
      'state-directory',
      'outbox',
      'handlers',
      'agent',
      'dns',
      'tcp',
      'tls',
      'mqtt',
      'permission',
    ]);
    expect(of('mqtt')).toMatchObject({ status: 'ok' });
    expect(of('permission')).toMatchObject({ status: 'ok' });
    expect(of('agent')).toMatchObject({ status: 'warn', message: 'does not run' });
  });

  it('does not throw out an agent that runs; with --connect it does', async () => {
    // GIVEN
    const file = configure();
    const agent = start('--config', file, 'run');
    await agent.seen('telemetry.published');

    // WHEN
    const { ok, of } = await doctor(file);

    // THEN
    expect(ok).toBe(true);
    expect(of('agent')).toMatchObject({ status: 'ok', message: 'runs' });
    expect(of('mqtt')).toMatchObject({ status: 'skip', message: expect.stringContaining('--connect') });
    expect(agent.events.filter(({ event }) => event === 'connection.connected')).toHaveLength(1);
    expect(agent.events.some(({ event }) => /taken_over|lost/.test(String(event)))).toBe(false);

    // AND
    expect((await doctor(file, '--connect')).of('mqtt')).toMatchObject({ status: 'ok' });
    await agent.seen('connection.taken_over');
  });

  it('sees what waits in the outbox of a device that was offline and killed', async () => {
    const file = configure({ endpoint: { host: 'localhost', port: 9 } });
    const agent = start('--config', file, 'run');
    await agent.seen('connection.unreachable');
    agent.process.kill('SIGKILL');
    await agent.exited;

    const { of } = await doctor(file);

    expect(of('agent')).toMatchObject({ status: 'warn' });
    expect(of('outbox')).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^[1-9]\d* readings wait, 0 dropped, 0 refused by the cloud, 0 damaged/),
    });
  });

  it('explains a certificate that the cloud does not know', async () => {
    const stranger = await issue(await createCa('nobody'), 'stranger1');

    const { of } = await doctor(configure({}, stranger));

    expect(of('tls')).toMatchObject({ status: 'ok' });
    expect(of('mqtt')).toMatchObject({ status: 'fail', advice: expect.stringContaining('its CA not registered') });
  });

  it.each([
    ['a name that does not exist', { endpoint: { host: 'none.invalid' } }, 'dns'],
    ['a port where nobody listens', { endpoint: { host: 'localhost', port: 9 } }, 'tcp'],
  ])('stops at %s', async (_what, change, check) => {
    const { ok, of } = await doctor(configure(change));

    expect(ok).toBe(false);
    expect(of(check)).toMatchObject({ status: 'fail', advice: expect.any(String) });
    expect(of('mqtt')).toMatchObject({ status: 'skip' });
  });

  it.each([
    ['of a CA that is not trusted', () => tlsServer('localhost', {}, false), 'does not trust'],
    ['for another name', () => tlsServer('elsewhere'), 'another name'],
    ['that has expired', () => tlsServer('localhost', { notAfter: new Date(Date.now() - 1000) }), 'expired'],
    [
      'that is not valid yet',
      () =>
        tlsServer('localhost', {
          notBefore: new Date(Date.now() + DAY_MS),
          notAfter: new Date(Date.now() + 2 * DAY_MS),
        }),
      'clock is in the past',
    ],
  ])('says of a server with a certificate %s what is wrong', async (_what, server, advice) => {
    const { of } = await doctor(configure(await server()));

    expect(of('tls')).toMatchObject({ status: 'fail', advice: expect.stringContaining(advice) });
  });

  it('says of a server that speaks no TLS that the handshake failed', async () => {
    const port = await serverWith(createServer((socket) => socket.on('error', () => {}).end('220 ready\r\n')));

    const { of } = await doctor(configure({ endpoint: { host: 'localhost', port } }));

    expect(of('tls')).toMatchObject({ status: 'fail' });
  });

  it.each([
    ['has expired', { notAfter: new Date(Date.now() - DAY_MS / 2) }, 'fail', 'expired at'],
    ['is not valid yet', { notBefore: new Date(Date.now() + DAY_MS) }, 'fail', 'valid only from'],
    ['expires soon', { notAfter: new Date(Date.now() + 9.5 * DAY_MS) }, 'warn', 'expires in 9 days'],
  ])('sees that its certificate %s', async (_what, dates, status, message) => {
    const { of } = await doctor(
      configure({ endpoint: { host: 'localhost', port: 9 } }, await issue(ca, 'dated', dates)),
    );

    expect(of('certificate-dates')).toMatchObject({ status, message: expect.stringContaining(message) });
  });

  it('names a key that others can read and one that belongs to another certificate', async () => {
    const open = configure();
    const openKey = path.join(path.dirname(open), 'private.key');
    chmodSync(openKey, 0o644);
    const other = configure();
    writeFileSync(path.join(path.dirname(other), 'private.key'), (await issue(ca, 'other')).keyPem);

    expect((await doctor(open)).of('identity')).toMatchObject({
      status: 'fail',
      advice: expect.stringContaining('chmod 600'),
    });
    // A key that others can read fails the run.
    chmodSync(openKey, 0o600);
    expect((await doctor(other)).of('identity')?.message).toContain('does not belong to the certificate');
  });

  it('says what is wrong with a configuration, and nothing else', async () => {
    const { ok, checks, of } = await doctor(configure({ sensor: [] }));

    expect(ok).toBe(false);
    expect(checks).toEqual(['configuration']);
    expect(of('configuration')?.advice).toContain('did you mean "sensors"?');
  });

  it('answers people in lines, with what to do below', async () => {
    const agent = start('--config', configure({ endpoint: { host: 'localhost', port: 9 } }), 'doctor');

    expect((await agent.exited).code).toBe(1);
    expect(agent.output()).toMatch(/^fail {2}tcp .*\n +-> does a firewall block port 9\?/m);
  });
});

describe('the command line', () => {
  const program = path.resolve(__dirname, '../../../device/bin/thingstead-agent.mjs');
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', timeout: 20_000 });

  it('takes --check for check-config', () => {
    expect(run('--config', configure(), '--check')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('is good'),
    });
  });

  it.each([[['--json', 'run']], [['run', '--check']], [['cure']], [[]]])('refuses %j with the usage', (args) => {
    expect(run(...args)).toMatchObject({
      status: 64,
      stderr: expect.stringContaining('thingstead-agent [--config FILE]'),
    });
  });

  it('lets only one agent run with an outbox', async () => {
    const file = configure({ endpoint: { host: 'localhost', port: 9 } });
    await start('--config', file, 'run').seen('connection.unreachable');

    const second = run('--config', file, 'run');

    expect(second).toMatchObject({ status: 1, stderr: expect.stringContaining('another agent runs') });
    expect(readFileSync(file, 'utf8')).toContain('localhost');
  });
});
