/** Two devices with one certificate: real agents, whose hours the test lets pass, against the deployed platform. */
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { runAgent } from '../../../device/src/agent.ts';
import { boardInfo } from '../../../device/src/board-info.ts';
import { parseConfig } from '../../../device/src/config.ts';
import { describeDevice } from '../../../device/src/description.ts';
import { Liveness } from '../../../device/src/liveness.ts';
import type { LogFields } from '../../../device/src/log.ts';
import { MemoryOutbox } from '../../../device/src/memory-outbox.ts';
import { Onboarding } from '../../../device/src/onboarding.ts';
import { sdkConnect } from '../../../device/src/sdk-session.ts';
import { createCa, type DeviceCertificate, issue } from '../../support/certificates.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 10_000;
/** More than an agent takes for its last readings. */
const FAREWELL_MS = 10_000;
const HOURS = 4;
const SENSOR = 'temperature';
const CONNECTED = 'connection.connected';

type Event = LogFields & { readonly event: string; readonly agent: string };

describeLocally('connections that follow each other at once', 'two agents with one identity', () => {
  let platform: Platform;
  let device: DeviceCertificate;
  let clock: ManualClock;
  let events: Event[];
  let look: () => void;
  let agents: ReturnType<typeof start>[];

  beforeAll(async () => {
    platform = await startPlatform();
    const ca = await createCa(unique('duplicate'));
    await platform.registerCa(ca);
    device = await issue(ca, unique('macdonald-twin'));
    await platform.join(device);
  });
  afterAll(() => platform.stop());
  beforeEach(() => {
    clock = new ManualClock(Date.now() - (HOURS + 2) * HOUR_MS);
    events = [];
    agents = [];
    look = () => {};
  });

  // The SDK would keep the process alive.
  afterEach(async () => {
    const stopped = agents.map((agent) => agent.abort());
    clock.advance(FAREWELL_MS);
    await Promise.all(stopped);
  });

  function start(agent: string, seed: number) {
    const config = parseConfig(
      {
        thing: device.thing,
        endpoint: { host: platform.mqtt.host, port: platform.mqtt.port },
        certificateFile: 'in-memory',
        privateKeyFile: 'in-memory',
        sensors: [{ name: SENSOR, source: { kind: 'simulator', seed }, intervalSeconds: 60 }],
      },
      'test',
    );
    const identity = {
      certificate: device.pem,
      key: { kind: 'file', pem: device.keyPem },
      rootCa: readFileSync(platform.mqtt.rootCaFile, 'utf8'),
      notBefore: new Date(),
      notAfter: new Date(),
    } as const;
    const write = (event: string, fields: LogFields = {}): void => {
      events.push({ event, agent, ...fields });
      look();
    };
    const log = { debug: write, info: write, warn: write, error: write };
    const outbox = new MemoryOutbox(unique(agent), 10_000);
    const put = jest.spyOn(outbox, 'put');
    const ending = new AbortController();
    const description = describeDevice(config, '1.0.0', boardInfo());
    const onboarding = new Onboarding({ thing: device.thing, description, clock, log });
    const { firmwareVersion } = description;
    const connect = sdkConnect(config, identity);
    const liveness = new Liveness(clock);
    const parts = { config, connect, outbox, onboarding, firmwareVersion, clock, liveness, log };
    const ended = runAgent(parts, ending.signal);
    const own = (name: RegExp): readonly Event[] =>
      events.filter((each) => each.agent === agent && name.test(each.event));
    const abort = (): Promise<void> => {
      ending.abort();
      return ended;
    };
    return {
      outbox,
      readings: () => put.mock.calls.map(([, { value, time }]) => `${time} ${value}`),
      told: () => own(/^connection.taken_over$/).length,
      /** Of its connection, the last event. */
      state: () => own(/^connection\.|^agent.stopped$/).at(-1)?.event,
      abort,
      /** Ends it when it has sent everything. */
      async stop(): Promise<void> {
        const stopped = abort();
        await until(() => outbox.size === 0);
        clock.advance(FAREWELL_MS);
        await stopped;
      },
    };
  }

  /** Resolves when the check holds, which an event of an agent brings about. */
  function until(check: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      look = () => check() && resolve();
      look();
    });
  }

  const connects = (): number => events.filter(({ event }) => event === 'connection.connecting').length;

  /** No attempt is under way, and the broker has told the older of two connections that it is over. */
  function settled(): boolean {
    const states = agents.map((agent) => agent.state());
    return !states.includes('connection.connecting') && states.filter((each) => each === CONNECTED).length <= 1;
  }

  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      clock.advance(STEP_MS);
      // What became due runs until it has asked the network.
      await turn();
      await until(settled);
    }
  }

  it('connect nine times in the first hour and three in later ones at most, and everything of both is stored once', async () => {
    // GIVEN
    agents.push(start('one', 1));
    await pass(STEP_MS);
    agents.push(start('two', 2));

    // WHEN hours pass, and then each of them is stopped when it is its turn
    const counts: number[] = [];
    for (let hour = 0; hour < HOURS; hour += 1) {
      const before = hour === 0 ? 0 : connects();
      await pass(HOUR_MS);
      counts.push(connects() - before);
    }
    for (const agent of agents.toSorted((a, b) => Number(b.state() === CONNECTED) - Number(a.state() === CONNECTED))) {
      if (agent.state() !== CONNECTED) await pass(HOUR_MS);
      await agent.stop();
    }

    // THEN
    const [first = 0, ...later] = counts;
    expect(first).toBeGreaterThan(3);
    expect(first).toBeLessThanOrEqual(9);
    expect(Math.max(...later)).toBeLessThanOrEqual(3);
    for (const { told, outbox } of agents) {
      expect(told()).toBeGreaterThan(0);
      expect(told()).toBeLessThanOrEqual(HOURS + 1);
      expect(outbox).toMatchObject({ size: 0, dropped: 0, setAsideReadings: 0 });
    }
    const read = agents.flatMap((agent) => agent.readings());
    expect(read.length).toBeGreaterThan(HOURS * 60 * 2);
    await platform.soon(async () => {
      const items = await platform.history(device.thing, SENSOR);
      const stored = items.flatMap(({ readings }) => readings as readonly { value: number; time: number }[]);
      expect(stored.map(({ time, value }) => `${time} ${value}`).toSorted()).toEqual(read.toSorted());
    });
  });
});
