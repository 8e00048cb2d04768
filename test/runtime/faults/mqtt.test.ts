/** Harm to the events of AWS IoT and to MQTT connections, seen by MQTT clients that are not ours. */
import { once } from 'node:events';
import type { FaultPlan } from '../../../local/src/faults/points.ts';
import { readPlan } from '../../../local/src/faults/read-plan.ts';
import type { Fault } from '../../support/faults.ts';
import { type BrokerFixture, publish, startBroker, type TestClient } from '../mqtt-fixture.ts';

let fixture: BrokerFixture;
let watcher: TestClient;
let read: number;

beforeEach(async () => {
  fixture = await startBroker();
  read = 0;
  watcher = await fixture.connect('watcher');
  await watcher.mqtt.subscribeAsync('$aws/events/presence/connected/+', { qos: 1 });
});
afterEach(() => fixture.stop());

function harm(...faults: readonly Fault[]): void {
  const plan: FaultPlan = readPlan({ faults }, new Map());
  fixture.kernel.faults.replace(plan);
}

/** Publishes events for these clients, and gives those that the watcher has got when all is done, in their order. */
async function connections(...clientIds: readonly string[]): Promise<readonly string[]> {
  for (const clientId of clientIds) {
    fixture.bus.publishFromService(`$aws/events/presence/connected/${clientId}`, { clientId });
  }
  return seen();
}

/** What the watcher has got since the last look: everything before a marker that it gets now. */
async function seen(): Promise<readonly string[]> {
  fixture.bus.publish({
    topic: '$aws/events/presence/connected/marker',
    payload: Buffer.from('{"clientId":"marker"}'),
    qos: 1,
    retain: false,
    properties: {},
    clientId: undefined,
    principal: undefined,
    sourceIp: undefined,
    receivedAt: 0,
    traceId: '',
  });
  await watcher.inbox.next(({ topic }) => topic.endsWith('/marker'));
  const { all } = watcher.inbox;
  const since = all.slice(read, -1);
  read = all.length;
  return since.map(({ text }) => JSON.parse(text).clientId);
}

describe('an event', () => {
  const event = { at: 'event', match: { topic: '$aws/events/presence/#' } } as const;

  it('comes twice', async () => {
    harm({ ...event, do: 'duplicate', skip: 1, times: 1 });
    expect(await connections('a', 'b', 'c')).toEqual(['a', 'b', 'b', 'c']);
  });

  it('is dropped', async () => {
    harm({ ...event, do: 'drop', skip: 1, times: 1 });
    expect(await connections('a', 'b', 'c')).toEqual(['a', 'c']);
  });

  it('comes after the next one', async () => {
    harm({ ...event, do: 'reorder', times: 1 });
    expect(await connections('a', 'b', 'c')).toEqual(['b', 'a', 'c']);
  });

  it('changes places with the next one, again and again', async () => {
    harm({ ...event, do: 'reorder' });
    expect(await connections('a', 'b', 'c', 'd')).toEqual(['b', 'a', 'd', 'c']);
  });

  it('that is to come after the next one comes by the time when none follows', async () => {
    harm({ ...event, do: 'reorder', delaySeconds: 10 });
    expect(await connections('a')).toEqual([]);
    await fixture.kernel.clock.advance(10_000);
    expect(await seen()).toEqual(['a']);
  });

  it('is delayed by virtual time', async () => {
    harm({ ...event, do: 'delay', delaySeconds: 600, times: 1 });
    expect(await connections('a', 'b')).toEqual(['b']);
    await fixture.kernel.clock.advance(599_000);
    expect(await seen()).toEqual([]);
    await fixture.kernel.clock.advance(1000);
    expect(await seen()).toEqual(['a']);
  });

  it('of another topic is left alone', async () => {
    harm({ at: 'event', match: { topic: '$aws/events/presence/+/b' }, do: 'drop' });
    expect(await connections('a', 'b', 'c')).toEqual(['a', 'c']);
  });

  it('that clients publish is no event of AWS IoT', async () => {
    harm({ at: 'event', do: 'drop' });
    await watcher.mqtt.subscribeAsync('device/a');
    await publish(watcher, 'device/a', 'hello');
    expect(await watcher.inbox.next(({ topic }) => topic === 'device/a')).toMatchObject({ text: 'hello' });
  });
});

describe('a connection', () => {
  it('is cut at the next packet of its client, which sees a reset', async () => {
    const client = await fixture.connect('device');
    const error = new Promise<unknown>((resolve) => client.mqtt.once('error', resolve));
    harm({ at: 'connection', match: { clientId: 'device' }, do: 'cut', skip: 1, times: 1 });

    await publish(client, 'a', '1');
    client.mqtt.publish('a', '2', { qos: 1 });

    expect(await error).toMatchObject({ code: 'ECONNRESET' });
    const event = await fixture.event('$aws/events/presence/disconnected/device');
    expect(event.disconnectReason).toBe('CONNECTION_LOST');
    expect(fixture.passed.all.filter(({ topic }) => topic === 'a').map(({ payload }) => `${payload}`)).toEqual(['1']);
    await fixture.connect('device');
  });

  it('is cut at its CONNECT', async () => {
    harm({ at: 'connection', match: { clientId: 'device' }, do: 'cut', times: 1 });
    await expect(fixture.connect('device')).rejects.toThrow('turned away');
    await fixture.connect('device');
  });

  it('falls silent: the client hears nothing and is not closed, the keep-alive ends the session', async () => {
    // GIVEN
    const client = await fixture.connect('device', { keepalive: 60 });
    let closed = false;
    void client.closed.then(() => {
      closed = true;
    });
    await client.mqtt.subscribeAsync('to/device');
    harm({ at: 'connection', match: { clientId: 'device' }, do: 'silence', times: 1 });
    const end = fixture.event('$aws/events/presence/disconnected/device');

    // WHEN
    client.mqtt.publish('a', '1', { qos: 1 });
    await fixture.kernel.clock.advance(0);
    await publish(watcher, 'to/device', 'are you there?');
    await fixture.kernel.clock.advance(91_000);

    // THEN
    expect((await end).disconnectReason).toBe('MQTT_KEEP_ALIVE_TIMEOUT');
    expect(client.inbox.all).toEqual([]);
    await fixture.kernel.clock.advance(3_600_000);
    await publish(await fixture.connect('another'), 'b', 'time for packets to pass');
    expect(closed).toBe(false);
    expect(fixture.passed.all.filter(({ topic }) => topic === 'a')).toEqual([]);
  });

  it('that is silent from its CONNECT on is not closed either', async () => {
    harm({ at: 'connection', match: { clientId: 'device' }, do: 'silence', times: 1 });
    const client = fixture.open('device');
    let heard = false;
    client.mqtt.once('connect', () => {
      heard = true;
    });
    void client.closed.then(() => {
      heard = true;
    });
    // The broker has the CONNECT when a later connection has been served.
    await once(client.mqtt.stream, 'secureConnect');
    await fixture.connect('another');

    // Longer than a connection may take to send its CONNECT.
    await fixture.kernel.clock.advance(120_000);
    await publish(await fixture.connect('later'), 'a', 'time for packets to pass');

    expect(fixture.kernel.faults.report().faults).toMatchObject([{ harmed: 1 }]);
    expect(heard).toBe(false);
  });

  it('that exists is cut at once, and no later one', async () => {
    const client = await fixture.connect('device');

    harm({ at: 'connection', match: { clientId: 'device' }, do: 'cut', now: true });

    await client.closed;
    const again = await fixture.connect('device');
    await publish(again, 'a', '1');
    expect(fixture.kernel.faults.report().faults).toMatchObject([{ matched: 1, harmed: 1 }]);
  });

  it('of another client is left alone', async () => {
    const client = await fixture.connect('device');
    harm({ at: 'connection', match: { clientId: 'other' }, do: 'cut' });
    await publish(client, 'a', '1');
    expect(client.mqtt.connected).toBe(true);
  });
});
