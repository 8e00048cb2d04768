/** What the device tells of itself, when, and what it remembers of the answers. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Description } from '@thingstead/contracts/onboarding';
import { validate } from '@thingstead/contracts/validate';
import { runAgent } from '../../device/src/agent.ts';
import { type BoardInfo, boardInfo } from '../../device/src/board-info.ts';
import { parseConfig } from '../../device/src/config.ts';
import { describeDevice } from '../../device/src/description.ts';
import { Liveness } from '../../device/src/liveness.ts';
import { MemoryOutbox } from '../../device/src/memory-outbox.ts';
import { nodeFileSystem } from '../../device/src/node-file-system.ts';
import { Onboarding } from '../../device/src/onboarding.ts';
import { pacedSensors, publishEveryMs } from '../../device/src/pace.ts';
import { StateFile } from '../../device/src/state-file.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeSession, keptLog } from './agent-session.ts';

const TOPIC = 'device/barn1/register/v1';
const DAY_MS = 86_400_000;
const noBoard: BoardInfo = { model: undefined, hardwareRevision: undefined, serial: undefined };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'thingstead-onboarding-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function config(change: object = {}) {
  const good = {
    thing: 'barn1',
    endpoint: { host: 'iot.example.com' },
    certificateFile: 'device.crt',
    privateKeyFile: 'device.key',
    sensors: [
      { name: 'temperature', source: { kind: 'simulator' }, intervalSeconds: 10, unit: 'Cel' },
      { name: 'door', source: { kind: 'simulator' }, intervalSeconds: 600 },
    ],
  };
  return parseConfig({ ...good, ...change }, 'device.json');
}

describe('a description', () => {
  it('is what the configuration says, and what it leaves out is what the board says', () => {
    const board = { model: 'Raspberry Pi 4 Model B Rev 1.4', hardwareRevision: 'c03114', serial: '10000000a1b2c3d4' };
    const description = { hardwareRevision: 'mk2', capabilities: ['power'], gateway: 'barn-gateway' };

    expect(describeDevice(config({ description }), '1.2.3', board)).toEqual({
      model: 'Raspberry_Pi_4_Model_B_Rev_1.4',
      hardwareRevision: 'mk2',
      serial: '10000000a1b2c3d4',
      firmwareVersion: '1.2.3',
      sensors: [{ name: 'temperature', unit: 'Cel' }, { name: 'door' }],
      capabilities: ['power'],
      gateway: 'barn-gateway',
    });
  });

  it('is one that the cloud takes, whatever the board says and however many sensors there are', () => {
    const sensors = Array.from({ length: 40 }, (_, index) => ({
      name: `s${index}`,
      source: { kind: 'simulator' },
      intervalSeconds: 60,
    }));
    for (const text of [undefined, '', ' ', 'ä\u0000ö', 'x'.repeat(500), 'To be filled by O.E.M.']) {
      const board = { model: text, hardwareRevision: text, serial: text };
      const description = describeDevice(config({ sensors }), '0.0.0', board);
      expect(validate(Description, description)).toMatchObject({ ok: true });
    }
  });

  it.each([
    ['model', { model: 'with spaces' }],
    ['capabilities.0', { capabilities: ['no spaces'] }],
    ['gateway', { gateway: 'no/slash' }],
    ['description.modle: unknown key; did you mean "model"?', { modle: 'x' }],
  ])('in the configuration is refused, by name: %s', (name, description) => {
    expect(() => config({ description })).toThrow(expect.objectContaining({ message: expect.stringContaining(name) }));
  });
});

describe('a board', () => {
  const file = (name: string, content: string | Buffer): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  };

  it('with a device tree says its model, revision and serial number', () => {
    file('firmware/devicetree/base/model', 'Raspberry Pi 3 Model B Plus Rev 1.3\0');
    file('firmware/devicetree/base/serial-number', '00000000deadbeef\0');
    file('firmware/devicetree/base/system/linux,revision', Buffer.from([0, 0xa0, 0x20, 0xd3]));

    expect(boardInfo(folder, 'host')).toEqual({
      model: 'Raspberry Pi 3 Model B Plus Rev 1.3',
      hardwareRevision: 'a020d3',
      serial: '00000000deadbeef',
    });
  });

  it('of the kind of a PC says its model, and its host name for the serial number that only root may see', () => {
    file('class/dmi/id/product_name', 'NUC7i3\n');
    file('class/dmi/id/product_version', '\n');

    expect(boardInfo(folder, 'host')).toEqual({ model: 'NUC7i3', hardwareRevision: undefined, serial: 'host' });
  });

  it('that says nothing has at least a host name', () => {
    expect(boardInfo(folder, 'host')).toEqual({ ...noBoard, serial: 'host' });
  });
});

/** An agent's on-boarding across sessions and restarts. */
function device({ model = 'm1', memory = false }: { readonly model?: string; readonly memory?: boolean } = {}) {
  const clock = new ManualClock();
  const log = keptLog();
  const description = describeDevice(config({ description: { model } }), '1.0.0', noBoard);
  const store = memory ? {} : { store: new StateFile(nodeFileSystem, folder, 'onboarding.json') };
  const onboarding = new Onboarding({ thing: 'barn1', description, ...store, clock, log });
  const changes: object[] = [];
  onboarding.onSettings(() => changes.push(onboarding.settings));
  async function connect(): Promise<FakeSession> {
    const session = new FakeSession('s');
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    const subscribe = async (): Promise<boolean> => {
      const outcome = await session.subscribe([`${TOPIC}/accepted`, `${TOPIC}/rejected`]);
      return outcome.kind === 'granted';
    };
    void onboarding.on(session, subscribe, over.signal);
    await turn();
    return session;
  }
  return { clock, log, onboarding, changes, connect };
}

const accept = (session: FakeSession, settings: object = {}, id = session.sent.at(-1)?.body.id): void =>
  session.deliver(`${TOPIC}/accepted`, { id, settings });

describe('on-boarding', () => {
  it('describes the device on its first connection, and not again once that is accepted, also after a restart', async () => {
    const first = device();
    const session = await first.connect();
    expect(session.sent).toEqual([
      {
        topic: TOPIC,
        body: expect.objectContaining({ id: expect.any(String), model: 'm1', firmwareVersion: '1.0.0' }),
      },
    ]);
    expect(validate(Description, session.sent[0]?.body)).toMatchObject({ ok: true });
    accept(session);

    expect((await first.connect()).sent).toEqual([]);
    expect((await device().connect()).sent).toEqual([]);
    expect(readdirSync(folder)).toEqual(['onboarding.json']);
  });

  it('describes it again when the description has changed', async () => {
    accept(await device().connect());

    expect((await device({ model: 'm2' }).connect()).sent).toMatchObject([{ body: { model: 'm2' } }]);
  });

  it('describes it on the next connection when there was no answer, or an answer to another description', async () => {
    const { connect } = device();
    const first = await connect();
    accept(first, {}, 'another');
    first.lose();

    expect((await connect()).sent).toHaveLength(1);
  });

  it('takes an answer that comes late, on a later connection', async () => {
    const { connect } = device();
    const first = await connect();
    first.lose();
    const second = await connect();
    accept(second, {}, first.sent[0]?.body.id);

    expect((await connect()).sent).toEqual([]);
  });

  it('says why it was rejected, and tries again after a day, at once when it has changed', async () => {
    const { connect, log, clock } = device();
    const session = await connect();
    session.deliver(`${TOPIC}/rejected`, { reason: 'gateway: is of another site' });
    expect(log.lines.at(-1)).toMatchObject({
      level: 'error',
      event: 'onboarding.rejected',
      reason: 'gateway: is of another site',
    });

    expect((await connect()).sent).toEqual([]);
    clock.advance(DAY_MS - 1);
    await turn();
    expect(session.sent).toHaveLength(1);
    expect((await device({ model: 'm2' }).connect()).sent).toHaveLength(1);
    clock.advance(1);
    await turn();
    expect(session.sent).toHaveLength(2);
    session.lose();
    await turn();
    clock.advance(10 * DAY_MS);
    expect(session.sent).toHaveLength(2);
  });

  it('applies settings when they change, keeps them across restarts, and takes new ones without a description', async () => {
    const { connect, changes } = device();
    const session = await connect();
    accept(session, { samplingSeconds: 60 });
    accept(session, { samplingSeconds: 60 });
    session.deliver(`${TOPIC}/accepted`, { settings: { reportingSeconds: 900 } });

    expect(changes).toEqual([{ samplingSeconds: 60 }, { reportingSeconds: 900 }]);
    expect(device().onboarding.settings).toEqual({ reportingSeconds: 900 });
    expect((await connect()).sent).toEqual([]);
  });

  it.each(['', '[]', '{"settings":{"samplingSeconds":"60"}}', '{"settings":{"samplingSeconds":0}}'])(
    'passes over an answer that it cannot read: %s',
    async (payload) => {
      const { connect, log, changes } = device();
      const session = await connect();
      session.deliver(`${TOPIC}/accepted`, payload);
      session.deliver(`${TOPIC}/rejected`, payload);

      expect(log.lines.slice(-2)).toEqual(
        Array(2).fill(expect.objectContaining({ level: 'warn', event: 'onboarding.unreadable' })),
      );
      expect(changes).toEqual([]);
      expect((await connect()).sent).toHaveLength(1);
    },
  );

  it('does not speak when its answers cannot be subscribed', async () => {
    const { onboarding } = device();
    const session = new FakeSession('s');
    await onboarding.on(session, () => Promise.resolve(false), new AbortController().signal);

    expect(session.sent).toEqual([]);
  });

  it('goes on, and says so, when its file is damaged or cannot be written', async () => {
    writeFileSync(path.join(folder, 'onboarding.json'), '{"answered":');
    const { connect, log, onboarding } = device();
    const session = await connect();
    expect(session.sent).toHaveLength(1);
    mkdirSync(path.join(folder, 'onboarding.json.draft'));

    accept(session, { samplingSeconds: 60 });

    expect(log.lines.at(-2)).toMatchObject({ level: 'warn', event: 'onboarding.not_kept' });
    expect(onboarding.settings).toEqual({ samplingSeconds: 60 });
    expect(readFileSync(path.join(folder, 'onboarding.json'), 'utf8')).toBe('{"answered":');
  });

  it('without a disk describes the device once in each process', async () => {
    const { connect } = device({ memory: true });
    accept(await connect());

    expect((await connect()).sent).toEqual([]);
    expect((await device({ memory: true }).connect()).sent).toHaveLength(1);
  });
});

describe('the pace', () => {
  const { sensors } = config();

  it('is slower when the fleet’s owner wants that, never faster than configured', () => {
    const intervals = (samplingSeconds?: number): number[] =>
      pacedSensors(sensors, samplingSeconds === undefined ? {} : { samplingSeconds }).map(
        (each) => each.intervalSeconds,
      );

    expect(intervals()).toEqual([10, 600]);
    expect(intervals(60)).toEqual([60, 600]);
    expect(intervals(1)).toEqual([10, 600]);
    expect([publishEveryMs(60, {}), publishEveryMs(60, { reportingSeconds: 5 })]).toEqual([60_000, 60_000]);
    expect(publishEveryMs(60, { reportingSeconds: 900 })).toBe(900_000);
  });
});

describe('the agent', () => {
  it('reads and sends as the settings say, as soon as they come', async () => {
    // GIVEN an agent that reads every 10 s and sends every 60 s
    const { clock, log, onboarding } = device();
    const outbox = new MemoryOutbox('session', 10_000);
    const session = new FakeSession('s');
    const ending = new AbortController();
    const parts = { config: config(), outbox, onboarding, firmwareVersion: '1.0.0', clock, log };
    const connect = (): Promise<FakeSession> => Promise.resolve(session);
    const ended = runAgent({ ...parts, connect, liveness: new Liveness(clock) }, ending.signal);
    /** Messages and readings of an hour, without the one that is on its border. */
    async function hour(): Promise<{ readonly messages: number; readonly readings: number }> {
      const before = session.sent.length;
      for (let minute = 0; minute < 60; minute += 1) {
        await turn();
        clock.advance(60_000);
      }
      const bodies = session.sent.slice(before).filter(({ topic }) => topic.endsWith('/sensor/temperature/v1'));
      const readings = bodies.flatMap(({ body }) => body.readings).length;
      return { messages: Math.round(bodies.length / 2) * 2, readings: Math.round(readings / 10) * 10 };
    }
    await turn();
    session.onPublish = () => ({ kind: 'acknowledged' });
    expect(await hour()).toEqual({ messages: 60, readings: 360 });

    // WHEN
    const { id } = session.sent.find(({ topic }) => topic === TOPIC)?.body ?? {};
    session.deliver(`${TOPIC}/accepted`, { id, settings: { samplingSeconds: 60, reportingSeconds: 600 } });
    await turn();

    // THEN
    expect(await hour()).toEqual({ messages: 6, readings: 60 });
    session.deliver(`${TOPIC}/accepted`, { settings: { samplingSeconds: 1 } });
    await turn();
    expect(await hour()).toEqual({ messages: 60, readings: 360 });
    ending.abort();
    await ended;
  });
});
