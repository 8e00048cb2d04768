/** When the agent calls itself alive: with a clock that the test moves, and as a process under a manager that watches. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Liveness } from '../../device/src/liveness.ts';
import { MemoryOutbox } from '../../device/src/memory-outbox.ts';
import { startSampling } from '../../device/src/sampler.ts';
import type { PublishOutcome, Session, SessionEnd } from '../../device/src/session.ts';
import { supervise } from '../../device/src/supervise.ts';
import { watchedConnect } from '../../device/src/watched-connect.ts';
import { type AgentProcess, startAgentProcess } from '../support/agent-process.ts';
import { createCa, issue } from '../support/certificates.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type NotifySocket, openNotifySocket } from '../support/notify-socket.ts';
import { describeWithTools } from '../support/tools.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const PUBLISH_MS = 60_000;

/** An agent's parts around a broker whose answers the test decides. */
function parts(isService = true) {
  const clock = new ManualClock();
  const liveness = new Liveness(clock);
  const outbox = new MemoryOutbox('session', 100);
  const sent: (readonly string[])[] = [];
  let connected = false;
  const manager = {
    watchdogMs: 30_000,
    notify: (...variables: readonly string[]) => {
      sent.push(variables);
      return Promise.resolve();
    },
  };
  const stop = supervise({
    manager,
    liveness,
    outbox,
    publishMs: () => PUBLISH_MS,
    connected: () => connected,
    isService,
    clock,
    log: silent,
  });
  const session = (publish: Session['publish']): Session => ({
    id: 'session',
    publish,
    subscribe: () => Promise.resolve({ kind: 'granted' }),
    onMessage: () => {},
    closed: new Promise<SessionEnd>(() => {}),
    disconnect: () => Promise.resolve(),
  });
  const connect = (opening: Promise<Session>): Promise<Session> =>
    watchedConnect({
      connect: () => opening,
      liveness,
      publishMs: () => PUBLISH_MS,
      changed: (now) => {
        connected = now;
      },
    })(new AbortController().signal);
  /** True when the manager hears WATCHDOG=1 in its next period. */
  const alive = (): boolean => {
    const before = sent.length;
    clock.advance(30_000);
    return sent.slice(before).some((each) => each.includes('WATCHDOG=1'));
  };
  return { clock, liveness, outbox, sent, stop, session, connect, alive };
}

describe('supervision', () => {
  it('says READY=1 before there is a connection, and STOPPING=1', async () => {
    const { sent, stop } = parts();
    await stop();

    expect(sent[0]).toEqual(['READY=1', 'WATCHDOG=1', 'STATUS=not connected, 0 readings wait']);
    expect(sent.at(-1)).toContain('STOPPING=1');
  });

  it('does not say STOPPING=1 below a launcher: systemd would kill the next version', async () => {
    const { sent, stop } = parts(false);
    await stop();

    expect(sent.at(-1)).toEqual(['STATUS=sending what waits']);
  });

  it('says nothing more after the end', async () => {
    const { sent, stop, clock } = parts();
    await stop();
    const before = sent.length;

    clock.advance(600_000);

    expect(sent).toHaveLength(before);
  });

  it('is alive for hours without a connection', () => {
    const { alive } = parts();

    expect(Array.from({ length: 1000 }, alive)).not.toContain(false);
  });

  it('is not alive when an attempt to connect does not end', () => {
    const { alive, clock, connect, sent } = parts();
    void connect(new Promise(() => {}));
    expect(alive()).toBe(true);

    clock.advance(180_000);

    expect(alive()).toBe(false);
    expect(sent.at(-1)?.join()).toContain('stuck, did not happen: the attempt to connect ends');
  });

  it('is not alive when a publish gets neither an answer nor an error', async () => {
    const { alive, clock, connect, session } = parts();
    const { publish } = await connect(Promise.resolve(session(() => new Promise<PublishOutcome>(() => {}))));
    void publish('topic', Buffer.from('{}'));
    expect(alive()).toBe(true);

    clock.advance(120_000);

    expect(alive()).toBe(false);
  });

  it('is not alive when readings wait on a connection and none is sent', async () => {
    const { alive, clock, connect, session, outbox } = parts();
    await connect(Promise.resolve(session(() => Promise.resolve({ kind: 'acknowledged' }))));
    clock.advance(24 * 3_600_000);
    expect(alive()).toBe(true);

    outbox.put('temperature', { value: 1, time: 0 });
    expect(alive()).toBe(true);
    clock.advance(2 * PUBLISH_MS + 120_000);

    expect(alive()).toBe(false);
  });

  it('is not alive when a sensor is no longer read, and alive again when it is', () => {
    const { alive, clock, liveness, outbox } = parts();
    // The sampler's clock stands still, as if its timer had been lost.
    const samplers = new ManualClock();
    const source = { kind: 'simulator', shape: 'sine', mean: 0, amplitude: 1, periodSeconds: 60, seed: 1 } as const;
    const sensors = [{ name: 'temperature', source, intervalSeconds: 10 }];
    startSampling({ thing: 'barn1', sensors, outbox, clock: samplers, liveness, log: silent });
    expect(alive()).toBe(true);

    clock.advance(60_000);
    expect(alive()).toBe(false);

    samplers.advance(10_000);
    expect(alive()).toBe(true);
  });
});

describeWithTools(['systemd-notify', 'python3'], 'the agent as a service of type notify', () => {
  let folder: string;
  let socket: NotifySocket;
  let agent: AgentProcess;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'thingstead-supervision-'));
    const device = await issue(await createCa('supervision'), 'barn1');
    writeFileSync(path.join(folder, 'device.crt'), device.pem);
    writeFileSync(path.join(folder, 'device.key'), device.keyPem, { mode: 0o600 });
  });
  afterEach(async () => {
    agent.process.kill('SIGKILL');
    await agent.exited;
    await socket.close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Fifty sensors, nobody to send to, and the smallest outbox: soon it is full, and its file is rewritten now and then. */
  function start(
    environment: Readonly<Record<string, string>>,
    program?: readonly string[],
  ): { readonly outbox: string } {
    const own = mkdtempSync(path.join(folder, 'agent-'));
    const config = {
      thing: 'barn1',
      endpoint: { host: 'localhost', port: 9 },
      certificateFile: '../device.crt',
      privateKeyFile: '../device.key',
      sensors: Array.from({ length: 50 }, (_, index) => ({
        name: `s${index}`,
        source: { kind: 'simulator' },
        intervalSeconds: 0.1,
      })),
      outbox: { maxBytes: 262_144, directory: 'state' },
    };
    writeFileSync(path.join(own, 'agent.json'), JSON.stringify(config));
    const args = ['--config', path.join(own, 'agent.json'), 'run'];
    agent = startAgentProcess(args, { environment, ...(program && { program }) });
    return { outbox: path.join(own, 'state/barn1') };
  }

  it('is ready without a connection, keeps the watchdog quiet, and says when it stops', async () => {
    socket = await openNotifySocket(3_000);
    start(socket.environment);

    await socket.receives(({ READY }) => READY === '1');
    await socket.receives((_, all) => all.filter(({ WATCHDOG }) => WATCHDOG === '1').length >= 6);
    agent.process.kill('SIGTERM');
    await socket.receives(({ STOPPING }) => STOPPING === '1');

    expect(await agent.exited).toEqual({ code: 0, signal: null });
    expect(socket.received.some(({ STATUS }) => /^not connected, \d+ readings wait$/.test(STATUS ?? ''))).toBe(true);
  });

  it('keeps the watchdog quiet below the launcher, and does not say that the service stops', async () => {
    // GIVEN
    const device = path.resolve(__dirname, '../../device');
    const factory = path.join(mkdtempSync(path.join(folder, 'factory-')), 'bin');
    mkdirSync(factory);
    const script = `#!/bin/sh\nexec '${process.execPath}' '${device}/bin/thingstead-agent.mjs' "$@"\n`;
    writeFileSync(path.join(factory, 'thingstead-agent'), script, { mode: 0o755 });
    const folders = ['--directory', path.join(folder, 'slots'), '--factory', path.dirname(factory)];
    socket = await openNotifySocket(3_000);

    // WHEN
    start(socket.environment, [process.execPath, `${device}/bin/thingstead-launcher.mjs`, ...folders, '--']);
    await socket.receives((_, all) => all.filter(({ WATCHDOG }) => WATCHDOG === '1').length >= 3);
    agent.process.kill('SIGTERM');

    // THEN
    await socket.receives(({ STATUS }) => STATUS === 'sending what waits');
    expect(await agent.exited).toEqual({ code: 0, signal: null });
    expect(socket.received.filter(({ STOPPING }) => STOPPING !== undefined)).toEqual([]);
  });

  it('hears from the launcher between two starts of an agent that ends at once', async () => {
    socket = await openNotifySocket(300);
    const launcher = path.resolve(__dirname, '../../device/bin/thingstead-launcher.mjs');
    const folders = ['--directory', path.join(folder, 'slots'), '--factory', path.join(folder, 'nothing')];

    agent = startAgentProcess([], {
      program: [process.execPath, launcher, ...folders, '--pause', '1000'],
      environment: socket.environment,
    });

    await socket.receives((_, all) => all.filter(({ WATCHDOG }) => WATCHDOG === '1').length >= 4);
    expect(agent.words().match(/launcher: starts/g)).toHaveLength(1);
  });

  it('sends no WATCHDOG=1 once a write of the outbox blocks', async () => {
    // GIVEN an agent that runs and is watched
    socket = await openNotifySocket(3_000);
    const { outbox } = start(socket.environment);
    await socket.receives(({ READY }) => READY === '1');

    // WHEN the next rewrite of the outbox never comes back: opening a pipe that nobody reads waits for ever
    expect(readdirSync(outbox)).not.toContain('draft');
    execFileSync('mkfifo', [path.join(outbox, 'draft')]);

    // THEN the watchdog runs out
    await socket.expired;
  });

  it('says so once when there is no systemd-notify, and runs on', async () => {
    socket = await openNotifySocket();
    start({ ...socket.environment, PATH: '/nowhere' });

    const warning = await agent.seen('service.notify_failed');
    await agent.seen('connection.unreachable');

    expect(warning).toMatchObject({ level: 'warn' });
    expect(socket.received).toEqual([]);
  });
});
