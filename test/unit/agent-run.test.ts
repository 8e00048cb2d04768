/** The agent as a process, against a broker of a few lines whose answers each test decides. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import * as mqtt from 'mqtt-packet';
import { createCa, issue } from '../support/certificates.ts';
import { untilEnded } from '../support/process-end.ts';

type Event = Readonly<Record<string, unknown>>;
type Answer = (packet: mqtt.IPublishPacket, answer: (reasonCode: number) => void, socket: TLSSocket) => void;

interface Broker {
  readonly port: number;
  readonly connects: mqtt.IConnectPacket[];
  readonly subscribes: mqtt.ISubscribePacket[];
  /** Readings. */
  readonly publishes: mqtt.IPublishPacket[];
  /** What the agent says of itself. */
  readonly told: mqtt.IPublishPacket[];
  readonly disconnects: mqtt.IDisconnectPacket[];
  /** So many CONNECTs are closed without an answer. */
  refusals: number;
  onPublish: Answer;
  onTold: Answer;
}

const root = path.resolve(__dirname, '../..');
const acknowledge: Answer = (_packet, answer) => answer(0);
let server: Server;
let broker: Broker;
let folder: string;
let agents: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-agent-'));
  const ca = await createCa('agent-test');
  const [own, device] = [await issue(ca, 'localhost'), await issue(ca, 'barn1')];
  writeFileSync(path.join(folder, 'ca.pem'), ca.pem);
  writeFileSync(path.join(folder, 'device.crt'), device.pem);
  writeFileSync(path.join(folder, 'device.key'), device.keyPem, { mode: 0o600 });
  const tls = { cert: own.pem, key: own.keyPem, ca: ca.pem, requestCert: true, ALPNProtocols: ['x-amzn-mqtt-ca'] };
  server = createServer(tls, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  broker = {
    port,
    connects: [],
    subscribes: [],
    publishes: [],
    told: [],
    disconnects: [],
    refusals: 0,
    onPublish: acknowledge,
    onTold: acknowledge,
  };
});
beforeEach(() => {
  const { connects, subscribes, publishes, told, disconnects } = broker;
  for (const list of [connects, subscribes, publishes, told, disconnects]) list.length = 0;
  broker.refusals = 0;
  broker.onPublish = acknowledge;
  broker.onTold = acknowledge;
});
afterEach(async () => {
  for (const agent of agents.filter((each) => each.exitCode === null && each.signalCode === null)) {
    agent.kill('SIGKILL');
    await once(agent, 'exit');
  }
  agents = [];
});
afterAll(() => {
  server.close();
});

function serve(socket: TLSSocket): void {
  const parser = mqtt.parser({ protocolVersion: 5 });
  const send = (packet: mqtt.Packet): boolean => socket.write(mqtt.generate(packet, { protocolVersion: 5 }));
  socket.on('error', () => {});
  socket.on('data', (chunk) => parser.parse(chunk));
  parser.on('packet', (packet) => {
    if (packet.cmd === 'connect') {
      broker.connects.push(packet);
      broker.refusals -= 1;
      if (broker.refusals >= 0) socket.end();
      else send({ cmd: 'connack', sessionPresent: false, reasonCode: 0 });
    } else if (packet.cmd === 'publish') {
      const answer = (reasonCode: number) => send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode });
      const isReading = packet.topic.includes('/sensor/');
      (isReading ? broker.publishes : broker.told).push(packet);
      (isReading ? broker.onPublish : broker.onTold)(packet, answer, socket);
    } else if (packet.cmd === 'subscribe') {
      broker.subscribes.push(packet);
      send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(() => 1) });
    } else if (packet.cmd === 'disconnect') {
      broker.disconnects.push(packet);
    } else if (packet.cmd === 'pingreq') {
      send({ cmd: 'pingresp' });
    }
  });
}

interface Running {
  readonly process: ChildProcess;
  readonly events: Event[];
  /** The first event of this name (about this sensor), also one that has already passed. */
  seen(name: string, sensor?: string): Promise<Event>;
  exit(): Promise<number | null>;
}

function startAgent(config: Readonly<Record<string, unknown>> = {}): Running {
  const file = path.join(mkdtempSync(path.join(folder, 'config-')), 'device.json');
  const defaults = {
    thing: 'barn1',
    endpoint: { host: 'localhost', port: broker.port },
    certificateFile: '../device.crt',
    privateKeyFile: '../device.key',
    rootCaFile: '../ca.pem',
    sensors: [{ name: 'temperature', source: { kind: 'simulator' }, intervalSeconds: 0.1, unit: 'Cel' }],
    publish: { intervalSeconds: 0.3 },
    reconnect: { baseSeconds: 0.1 },
  };
  writeFileSync(file, JSON.stringify({ ...defaults, ...config }));
  const child = spawn(process.execPath, [path.join(root, 'device/bin/thingstead-agent.mjs'), '--config', file, 'run']);
  agents.push(child);
  const events: Event[] = [];
  const waiting = new Set<() => void>();
  createInterface(child.stdout).on('line', (line) => {
    events.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const exited = once(child, 'close').then(([code]) => code);
  const seen = (name: string, sensor?: string): Promise<Event> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const event = events.find((each) => each.event === name && (sensor === undefined || each.sensor === sensor));
        if (!event) return;
        waiting.delete(look);
        resolve(event);
      };
      waiting.add(look);
      look();
      void exited.then((code) => reject(new Error(`ended with ${code} before ${name}: ${words}`)));
    });
  return { process: child, events, seen, exit: () => exited };
}

const reports = (): Event[] =>
  broker.told
    .filter(({ topic }) => topic === '$aws/things/barn1/shadow/update')
    .map(({ payload }) => JSON.parse(payload.toString()).state.reported);

const bodies = (): { id: string; readings: Event[] }[] =>
  broker.publishes.map((each) => JSON.parse(each.payload.toString()));

describe('the agent', () => {
  it('tells of itself beside its readings: a last will and one SUBSCRIBE for each connection, a new session, and a goodbye', async () => {
    // GIVEN a connection that is cut when the agent has reported
    const reportedAgain = new Promise<void>((resolve) => {
      broker.onTold = (packet, answer, socket) => {
        answer(0);
        if (!packet.topic.endsWith('/shadow/update')) return;
        if (reports().length === 1) socket.destroy();
        else resolve();
      };
    });

    // WHEN
    const agent = startAgent();
    await agent.seen('connection.lost');
    await reportedAgain;
    agent.process.kill('SIGTERM');
    await agent.exit();

    // THEN
    expect(broker.connects).toHaveLength(2);
    const wills = broker.connects.map(({ will }) => will);
    expect(wills).toEqual(
      Array(2).fill(expect.objectContaining({ topic: 'device/barn1/lwt/v1', qos: 1, retain: false })),
    );
    const [first, second] = wills.map((will) => JSON.parse(String(will?.payload)).session);
    expect(first).toMatch(/^[0-9a-f]{24}$/);
    expect(second).not.toBe(first);
    expect(broker.subscribes.map((each) => each.subscriptions.map(({ topic }) => topic))).toEqual(
      Array(2).fill([
        '$aws/things/barn1/shadow/update/accepted',
        '$aws/things/barn1/shadow/update/rejected',
        'device/barn1/register/v1/accepted',
        'device/barn1/register/v1/rejected',
        'device/barn1/register/certificate/v1/accepted',
        'device/barn1/register/certificate/v1/rejected',
        'device/barn1/register/certificate/v1/wanted',
        'device/barn1/command/+/v1',
      ]),
    );
    const settings = { samplingSeconds: null, reportingSeconds: null };
    const firmwareVersion = '0.0.0';
    expect(reports()).toEqual([
      { connected: true, session: first, firmwareVersion, settings },
      { connected: true, session: second, firmwareVersion, settings },
      { connected: false, session: second },
    ]);
    expect(broker.disconnects).toHaveLength(1);
  });

  it('ends in time though nobody acknowledges what it says of itself', async () => {
    broker.onTold = () => {};
    const agent = startAgent();
    await agent.seen('telemetry.published');
    agent.process.kill('SIGTERM');

    expect(await agent.exit()).toBe(0);
    expect(agent.events.at(-1)).toMatchObject({ event: 'agent.stopped', unsent: 0 });
    expect(broker.disconnects).toHaveLength(1);
  });

  it('sends every reading though the broker closes the connection for what it says of itself', async () => {
    // GIVEN
    broker.onTold = (_packet, _answer, socket) => {
      socket.end(mqtt.generate({ cmd: 'disconnect', reasonCode: 0x87 }, { protocolVersion: 5 }));
    };
    broker.onPublish = (_packet, answer) => {
      if (broker.connects.length > 1) answer(0);
    };

    // WHEN
    const agent = startAgent();
    const silent = await agent.seen('presence.silent');
    await agent.seen('telemetry.published');
    agent.process.kill('SIGTERM');
    await agent.exit();

    // THEN
    expect(silent).toMatchObject({ level: 'error', reason: expect.stringContaining('NotAuthorized') });
    expect(broker.connects).toHaveLength(2);
    expect(broker.subscribes).toHaveLength(1);
    expect(agent.events.at(-1)).toMatchObject({ event: 'agent.stopped', unsent: 0, setAside: 0 });
  });

  it('waits for activation when it is refused first, then publishes, and says goodbye with its last readings', async () => {
    // GIVEN an endpoint that closes the first two connections without an answer
    broker.refusals = 2;

    // WHEN
    const agent = startAgent();
    const waiting = await agent.seen('connection.waiting_for_activation');
    await agent.seen('connection.connected');
    const published = await agent.seen('telemetry.published');
    agent.process.kill('SIGTERM');

    // THEN
    expect(await agent.exit()).toBe(0);
    expect(waiting).toMatchObject({ level: 'info', thing: 'barn1' });
    expect(published).toMatchObject({ sensor: 'temperature', readings: expect.any(Number) });
    expect(broker.connects).toHaveLength(3);
    expect(broker.connects[0]).toMatchObject({ clientId: 'barn1', clean: true, keepalive: 60 });
    expect(broker.publishes[0]?.topic).toBe('$aws/rules/thingstead_telemetry/device/barn1/sensor/temperature/v1');
    expect(broker.disconnects).toHaveLength(1);
    expect(agent.events.at(-1)).toMatchObject({
      event: 'agent.stopped',
      unsent: 0,
      messages: broker.publishes.length,
    });
    const times = bodies().flatMap((each) => each.readings.map(({ time }) => Number(time)));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(bodies()[0]?.readings[0]).toEqual({ value: expect.any(Number), time: expect.any(Number), unit: 'Cel' });
  });

  it('sends a message again with the same id and bytes when the connection breaks before the PUBACK', async () => {
    // GIVEN
    let broken = 0;
    broker.onPublish = (packet, answer, socket) => {
      broken += 1;
      if (broken === 1) socket.destroy();
      else acknowledge(packet, answer, socket);
    };

    // WHEN
    const agent = startAgent();
    await agent.seen('connection.lost');
    await agent.seen('telemetry.published');
    agent.process.kill('SIGTERM');
    await agent.exit();

    // THEN
    const [first, second, ...more] = broker.publishes.map((each) => each.payload.toString());
    expect(second).toBe(first);
    expect(more).not.toContain(first);
    const ids = bodies().map((each) => Number(each.id.split('-')[1]));
    expect(ids).toEqual([1, ...Array.from({ length: ids.length - 1 }, (_, index) => index + 1)]);
  });

  it('sends after kill -9 what it sent without an answer before, with the same id and bytes', async () => {
    // GIVEN an agent that is killed while the broker owes it an answer
    const outbox = { directory: mkdtempSync(path.join(folder, 'outbox-')) };
    const unanswered = new Promise<void>((resolve) => {
      broker.onPublish = () => resolve();
    });
    const killed = startAgent({ outbox });
    await unanswered;
    killed.process.kill('SIGKILL');
    await killed.exit();
    const before = broker.publishes.map((each) => each.payload.toString());
    broker.onPublish = acknowledge;

    // WHEN
    const agent = startAgent({ outbox });
    await agent.seen('telemetry.published');
    agent.process.kill('SIGTERM');
    await agent.exit();

    // THEN
    const after = broker.publishes.slice(before.length).map((each) => each.payload.toString());
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(bodies().map((each) => each.id)).size).toBe(after.length);
    expect(agent.events.at(-1)).toMatchObject({ event: 'agent.stopped', unsent: 0, dropped: 0 });
  });

  it('sets aside what the broker refuses, says so, and goes on', async () => {
    // GIVEN
    broker.onPublish = (packet, answer) => answer(packet === broker.publishes[0] ? 0x87 : 0);

    // WHEN
    const agent = startAgent({ publish: { intervalSeconds: 0.2, basicIngest: false } });
    const refused = await agent.seen('telemetry.set_aside');
    await agent.seen('telemetry.published');
    agent.process.kill('SIGTERM');
    await agent.exit();

    // THEN
    expect(refused).toMatchObject({ level: 'error', reason: expect.stringContaining('NotAuthorized') });
    const ids = bodies().map((each) => each.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(broker.publishes[0]?.topic).toBe('device/barn1/sensor/temperature/v1');
    expect(agent.events.at(-1)).toMatchObject({ event: 'agent.stopped', setAside: refused.readings });
  });

  it('finds the message for which the broker closes the connection, and sends all others', async () => {
    // GIVEN a broker that closes the connection for every message of one sensor, as AWS IoT does for a forbidden topic
    broker.onPublish = (packet, answer, socket) => {
      if (!packet.topic.includes('/forbidden/')) answer(0);
      else socket.end(mqtt.generate({ cmd: 'disconnect', reasonCode: 0x87 }, { protocolVersion: 5 }));
    };
    const sensor = (name: string) => ({ name, source: { kind: 'simulator' }, intervalSeconds: 60 });

    // WHEN
    const agent = startAgent({ sensors: [sensor('first'), sensor('forbidden'), sensor('last')] });
    const setAside = await agent.seen('telemetry.set_aside');
    agent.process.kill('SIGTERM');
    await agent.exit();

    // THEN
    expect(setAside).toMatchObject({ sensor: 'forbidden' });
    const published = agent.events.filter((each) => each.event === 'telemetry.published').map((each) => each.sensor);
    expect(published.toSorted()).toEqual(['first', 'last']);
    expect(agent.events.at(-1)).toMatchObject({ event: 'agent.stopped', unsent: 0, setAside: 1 });
  });

  it('ends at once when it is told to while it cannot connect', async () => {
    const agent = startAgent({ endpoint: { host: 'localhost', port: 9 } });
    await agent.seen('connection.unreachable');

    agent.process.kill('SIGINT');

    expect(await agent.exit()).toBe(0);
    expect(agent.events.at(-1)).toMatchObject({ event: 'agent.stopped', messages: 0 });
  });

  it('sends what other sensors read while a command hangs; ends in time, and the command with it', async () => {
    // GIVEN a command that hangs after it has left its process id in a file, which is a sensor too
    const pid = path.join(mkdtempSync(path.join(folder, 'hanging-')), 'pid');
    const hanging = {
      kind: 'command',
      command: ['sh', '-c', 'echo $$ >"$0"; exec sleep 1000', pid],
      timeoutSeconds: 300,
    };
    const agent = startAgent({
      sensors: [
        { name: 'hangs', source: hanging, intervalSeconds: 0.1 },
        { name: 'gone', source: { kind: 'file', path: 'nowhere' }, intervalSeconds: 0.1 },
        { name: 'pid', source: { kind: 'file', path: pid }, intervalSeconds: 0.1 },
      ],
    });

    // WHEN
    await Promise.all([
      agent.seen('sensor.failed', 'hangs'),
      agent.seen('sensor.failed', 'gone'),
      agent.seen('telemetry.published', 'pid'),
    ]);
    agent.process.kill('SIGTERM');

    // THEN
    expect(await agent.exit()).toBe(0);
    const process = readFileSync(pid, 'utf8').trim();
    expect(bodies().flatMap((each) => each.readings.map(({ value }) => value))).toContain(Number(process));
    expect(agent.events.filter((each) => each.event === 'sensor.failed' && each.sensor === 'gone')).toHaveLength(1);
    await untilEnded(process);
  });

  it('refuses a source that is not good, names the member, and exits with 78', async () => {
    const source = { kind: 'command', command: ['true'], timeoutSeconds: -1 };
    const agent = startAgent({ sensors: [{ name: 'x', source, intervalSeconds: 1 }] });

    await expect(agent.seen('agent.starting')).rejects.toThrow('sensors.0.source.timeoutSeconds: ');
    expect(await agent.exit()).toBe(78);
  });

  it('refuses a key that others can read, with the command that repairs it, and exits with 78', async () => {
    const key = path.join(folder, 'open.key');
    writeFileSync(key, 'irrelevant');
    chmodSync(key, 0o644);

    const agent = startAgent({ privateKeyFile: '../open.key' });

    await expect(agent.seen('agent.starting')).rejects.toThrow(`chmod 600 ${key}`);
    expect(await agent.exit()).toBe(78);
  });

  it('refuses to run under a name that is not in its certificate', async () => {
    const agent = startAgent({ thing: 'barn2' });

    await expect(agent.seen('agent.starting')).rejects.toThrow(/thing is "barn2", but the common name .* is "barn1"/);
    expect(await agent.exit()).toBe(78);
  });
});
