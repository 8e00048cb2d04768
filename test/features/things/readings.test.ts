/** People see what was measured: readings as they came, by minute and hour, and the latest; nothing of earlier owners. */
import { historyKey, hourOf } from '@thingstead/contracts/telemetry-store';
import { createCa, issue } from '../../support/certificates.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type DeviceClient, type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { storedThings } from './stored-things.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** An hour that lies wholly in the past. */
const HOUR = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
const BATCHING_SECONDS = 30;

let platform: Platform;
let stored: ReturnType<typeof storedThings>;
let owner: Person;
let next: Person;
let support: Person;
let device: DeviceClient;
const thing = unique('station').replaceAll('-', '_');

beforeAll(async () => {
  platform = await startPlatform();
  stored = storedThings(platform);
  [owner, next, support] = await Promise.all([
    newPerson(platform),
    newPerson(platform),
    newPerson(platform, { groups: ['support'] }),
  ]);
  const ca = await createCa(unique('stations'));
  await platform.registerCa(ca);
  const certificate = await issue(ca, thing);
  await platform.join(certificate);
  device = await platform.connect(certificate, { keepalive: 0 });
  await stored.grant(owner.person, { kind: 'thing', name: thing }, 'owner', { visibleFrom: HOUR - 24 * HOUR_MS });
});
afterAll(async () => {
  await device?.endAsync(true);
  await platform?.stop();
});

async function send(sensor: string, message: object): Promise<void> {
  const id = `${unique('s')}-${Math.random()}`;
  await device.publishAsync(`device/${thing}/sensor/${sensor}/v1`, JSON.stringify({ id, ...message }), { qos: 1 });
}

async function telemetry(person: Person, sensor: string, query: Readonly<Record<string, unknown>> = {}) {
  const all = { sensor, from: HOUR, to: HOUR + HOUR_MS, ...query };
  const text = new URLSearchParams(Object.entries(all).map(([name, value]): [string, string] => [name, String(value)]));
  return person.call('GET', `/things/${thing}/telemetry?${text}`);
}

describe('what a device sends', () => {
  beforeAll(async () => {
    await send('temperature', { value: 20, unit: 'Cel', time: HOUR + MINUTE_MS });
    const readings = [2, 3, 4].map((minute) => ({ value: 20 + minute, time: HOUR + minute * MINUTE_MS }));
    await send('temperature', { readings });
    await send('temperature', { value: 30, time: HOUR + 3 * MINUTE_MS + 1 });
    await send('door', { value: true, time: HOUR + 59 * MINUTE_MS });
    await platform.advance(BATCHING_SECONDS);
  });

  it('comes as it was sent, by time, also from the middle of a batch', async () => {
    await platform.soon(async () => {
      const { status, body } = await telemetry(owner, 'temperature');
      expect([status, body]).toEqual([
        200,
        {
          readings: [
            { value: 20, unit: 'Cel', time: HOUR + MINUTE_MS },
            { value: 22, time: HOUR + 2 * MINUTE_MS },
            { value: 23, time: HOUR + 3 * MINUTE_MS },
            { value: 30, time: HOUR + 3 * MINUTE_MS + 1 },
            { value: 24, time: HOUR + 4 * MINUTE_MS },
          ],
        },
      ]);
    });
    const { body } = await telemetry(owner, 'temperature', { from: HOUR + 3 * MINUTE_MS, to: HOUR + 4 * MINUTE_MS });
    expect(body.readings.map(({ value }: { value: number }) => value)).toEqual([23, 30]);
  });

  it('comes page by page', async () => {
    const values: number[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await telemetry(owner, 'temperature', { limit: 2, ...(cursor && { cursor }) });
      values.push(...body.readings.map(({ value }: { value: number }) => value));
      cursor = body.cursor;
    } while (cursor !== undefined);

    expect(values).toEqual([20, 22, 23, 30, 24]);
  });

  it('is summed up by minute and by hour', async () => {
    await platform.soon(async () => {
      const { body } = await telemetry(owner, 'temperature', { resolution: 'minute', from: HOUR + 3 * MINUTE_MS });
      expect(body.summaries).toEqual([
        { time: HOUR + 3 * MINUTE_MS, count: 2, min: 23, max: 30, mean: 26.5, last: 30 },
        { time: HOUR + 4 * MINUTE_MS, count: 1, min: 24, max: 24, mean: 24, last: 24 },
      ]);
    });

    const { body } = await telemetry(owner, 'temperature', { resolution: 'hour', from: HOUR - HOUR_MS });

    expect(body).toEqual({ summaries: [{ time: HOUR, count: 5, min: 20, max: 30, mean: 23.8, last: 24 }] });
  });

  it('is the latest of each sensor', async () => {
    const { body } = await owner.call('GET', `/things/${thing}`);

    expect(body).toMatchObject({
      thing,
      role: 'owner',
      connected: true,
      latest: {
        temperature: { value: 24, time: HOUR + 4 * MINUTE_MS },
        door: { value: true, time: HOUR + 59 * MINUTE_MS },
      },
    });
  });

  it('may be seen by support', async () => {
    expect((await telemetry(support, 'temperature')).body.readings).toHaveLength(5);
    expect((await telemetry(support, 'temperature', { resolution: 'hour' })).body.summaries).toHaveLength(1);
  });
});

describe('the next owner', () => {
  let since: number;

  beforeAll(async () => {
    since = Date.now() - 1;
    await stored.grant(next.person, { kind: 'thing', name: thing }, 'owner', { visibleFrom: since });
  });

  it('sees neither readings nor roll-ups nor latest values of the owner before', async () => {
    const all = { from: 0, to: since + HOUR_MS };

    expect((await telemetry(next, 'temperature', all)).body).toEqual({ readings: [] });
    expect((await telemetry(next, 'temperature', { ...all, resolution: 'minute' })).body).toEqual({ summaries: [] });
    expect((await telemetry(next, 'temperature', { ...all, resolution: 'hour' })).body).toEqual({ summaries: [] });
    const before = { from: 0, to: since - 2 * HOUR_MS };
    expect((await telemetry(next, 'temperature', before)).body).toEqual({ readings: [] });
    expect((await telemetry(next, 'temperature', { ...before, resolution: 'hour' })).body).toEqual({ summaries: [] });
    expect((await next.call('GET', `/things/${thing}`)).body).toMatchObject({ thing, role: 'owner', latest: {} });
  });

  it('sees nothing that arrived earlier under a later time, nor what comes late and is of an earlier time', async () => {
    const sensor = 'clock';
    const key = (time: number): object => ({
      pk: historyKey(thing, sensor),
      sk: `${new Date(time).toISOString()}#${time}`,
      thing,
      sensor,
      time,
    });
    await stored.history([
      { ...key(since + 5 * MINUTE_MS), value: 1, receivedAt: since - 1 },
      { ...key(since - 5 * MINUTE_MS), value: 2, receivedAt: since + 1 },
      { ...key(since + 6 * MINUTE_MS), value: 3, receivedAt: since + 1 },
    ]);

    const { body } = await telemetry(next, sensor, { from: since - HOUR_MS, to: since + HOUR_MS });

    expect(body).toEqual({ readings: [{ value: 3, time: since + 6 * MINUTE_MS }] });
  });

  it('sees what is measured from then on: as it comes at once, summed up from the first minute that is theirs alone', async () => {
    // Time passes: the clock of a device may have been ten minutes ahead when the thing changed hands.
    await platform.advance(20 * 60);
    const now = since + 20 * MINUTE_MS;
    await send('temperature', { value: 5, time: now });
    await platform.advance(BATCHING_SECONDS);
    await next.refresh();

    await platform.soon(async () => {
      const all = { from: 0, to: now + HOUR_MS };
      expect((await telemetry(next, 'temperature', all)).body.readings).toEqual([{ value: 5, time: now }]);
      const { body } = await telemetry(next, 'temperature', { ...all, resolution: 'hour' });
      expect(body.summaries).toEqual([
        { time: Date.parse(`${hourOf(now)}:00:00Z`), count: 1, min: 5, max: 5, mean: 5, last: 5 },
      ]);
      const { latest } = (await next.call('GET', `/things/${thing}`)).body;
      expect(latest).toEqual({ temperature: { value: 5, time: now } });
    });
  });
});
