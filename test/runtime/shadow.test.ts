/** Device shadows over MQTT and HTTP. */
import {
  DeleteThingShadowCommand,
  GetThingShadowCommand,
  ListNamedShadowsForThingCommand,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane';
import { type DataEndpoint, startDataEndpoint } from './mqtt-data-endpoint.ts';
import { type BrokerFixture, publish, startBroker, type TestClient } from './mqtt-fixture.ts';

const CLASSIC = '$aws/things/thing/shadow';
const NAMED = '$aws/things/thing/shadow/name/config';
const TIME = expect.any(Number);
const STAMP = { timestamp: TIME };

let fixture: BrokerFixture;
let device: TestClient;

beforeEach(async () => {
  fixture = await startBroker();
  device = await fixture.connect('device');
});
afterEach(() => fixture.stop());

/** Publishes a request and gives the answers, by the end of their topic, in the order in which they came. */
async function ask(prefix: string, action: string, request: unknown): Promise<[topic: string, document: unknown][]> {
  const start = fixture.passed.all.length;
  await publish(device, `${prefix}/${action}`, typeof request === 'string' ? request : JSON.stringify(request));
  return fixture.passed.all
    .slice(start + 1)
    .map((each) => [each.topic.slice(prefix.length + 1), JSON.parse(each.payload.toString())]);
}

function update(state: unknown, more: object = {}): Promise<[string, unknown][]> {
  return ask(CLASSIC, 'update', { state, ...more });
}

async function get(prefix = CLASSIC): Promise<unknown> {
  const [answer] = await ask(prefix, 'get', '');
  return answer?.[1];
}

describe.each([CLASSIC, NAMED])('%s', (prefix) => {
  it('answers an update with delta, documents and accepted, in this order', async () => {
    // GIVEN
    await ask(prefix, 'update', { state: { reported: { color: 'red', on: true } } });

    // WHEN
    const answers = await ask(prefix, 'update', {
      state: { desired: { color: 'blue' } },
      clientToken: 't1',
      version: 1,
    });

    // THEN
    const end = { timestamp: TIME, clientToken: 't1' };
    const reported = { color: 'red', on: true };
    expect(answers).toEqual([
      ['update/delta', { version: 2, state: { color: 'blue' }, metadata: { color: STAMP }, ...end }],
      [
        'update/documents',
        {
          previous: { state: { reported }, metadata: { reported: { color: STAMP, on: STAMP } }, version: 1 },
          current: {
            state: { desired: { color: 'blue' }, reported },
            metadata: { desired: { color: STAMP }, reported: { color: STAMP, on: STAMP } },
            version: 2,
          },
          ...end,
        },
      ],
      [
        'update/accepted',
        { state: { desired: { color: 'blue' } }, metadata: { desired: { color: STAMP } }, version: 2, ...end },
      ],
    ]);
  });

  it('gives the document with its delta', async () => {
    // GIVEN
    await ask(prefix, 'update', { state: { desired: { a: 1, b: { c: 2, d: 3 } }, reported: { b: { c: 2 }, e: 5 } } });

    // WHEN
    const answers = await ask(prefix, 'get', { clientToken: 'mine' });

    // THEN
    expect(answers).toEqual([
      [
        'get/accepted',
        {
          state: {
            desired: { a: 1, b: { c: 2, d: 3 } },
            reported: { b: { c: 2 }, e: 5 },
            delta: { a: 1, b: { d: 3 } },
          },
          metadata: {
            desired: { a: STAMP, b: { c: STAMP, d: STAMP } },
            reported: { b: { c: STAMP }, e: STAMP },
          },
          version: 1,
          timestamp: TIME,
          clientToken: 'mine',
        },
      ],
    ]);
  });

  it('goes on counting versions for 48 hours after a deletion', async () => {
    // GIVEN
    await ask(prefix, 'update', { state: { reported: { a: 1 } } });
    await ask(prefix, 'update', { state: { reported: { a: 2 } } });

    // WHEN
    const deleted = await ask(prefix, 'delete', 'whatever');
    const missing = await ask(prefix, 'get', '');
    const recreated = await ask(prefix, 'update', { state: { reported: { a: 3 } } });
    await ask(prefix, 'delete', '');
    await fixture.kernel.clock.advance(48 * 3_600_000);
    device = await fixture.connect('device-2');
    const anew = await ask(prefix, 'update', { state: { reported: { a: 4 } } });

    // THEN
    expect(deleted).toEqual([['delete/accepted', { version: 2, timestamp: TIME }]]);
    const name = prefix === CLASSIC ? 'thing' : 'thing~config';
    expect(missing).toEqual([['get/rejected', { code: 404, message: `No shadow exists with name: '${name}'` }]]);
    expect(recreated.at(-1)).toMatchObject(['update/accepted', { version: 3 }]);
    expect(anew.at(-1)).toMatchObject(['update/accepted', { version: 1 }]);
  });
});

it('reaches clients that are subscribed to the answers', async () => {
  // GIVEN
  await device.mqtt.subscribeAsync([`${CLASSIC}/update/accepted`, `${CLASSIC}/update/delta`], { qos: 1 });

  // WHEN
  await update({ desired: { on: true } });

  // THEN
  expect((await device.inbox.next()).topic).toBe(`${CLASSIC}/update/delta`);
  expect(JSON.parse((await device.inbox.next()).text)).toMatchObject({ state: { desired: { on: true } }, version: 1 });
});

describe('an update', () => {
  it('merges objects, replaces arrays, deletes with null and keeps empty objects', async () => {
    // GIVEN
    await update({ desired: { a: { x: 1, y: 2 }, list: [1, 2, 3], gone: 1, empty: {} } });

    // WHEN
    await update({ desired: { a: { y: 3, x: null }, list: [4], gone: null } });

    // THEN
    expect(await get()).toMatchObject({ state: { desired: { a: { y: 3 }, list: [4], empty: {} } }, version: 2 });
  });

  it('stamps only what it touches', async () => {
    // GIVEN
    await update({ desired: { a: 1, b: 1 } });
    await fixture.kernel.clock.advance(20_000);

    // WHEN
    await update({ desired: { b: 2, list: ['x', 'y'] } });

    // THEN
    const { metadata } = (await get()) as { metadata: { desired: Record<string, { timestamp: number }> } };
    const { a, b, list } = metadata.desired;
    expect((b?.timestamp ?? 0) - (a?.timestamp ?? 0)).toBeGreaterThanOrEqual(20);
    expect(list).toEqual([STAMP, STAMP]);
  });

  it.each([
    ['a section of null', { desired: null }, { reported: { a: 1 } }],
    ['a section whose last key goes', { desired: { a: null } }, { reported: { a: 1 } }],
    ['a state of null', null, {}],
    ['an empty section', { reported: {} }, { desired: { a: 1 }, reported: { a: 1 } }],
  ])('with %s', async (_name, state, expected) => {
    // GIVEN
    await update({ desired: { a: 1 }, reported: { a: 1 } });

    // WHEN
    const answers = await update(state);

    // THEN
    expect(answers.at(-1)).toMatchObject(['update/accepted', { state, version: 2 }]);
    expect(await get()).toMatchObject({ version: 2 });
    expect(((await get()) as { state: unknown }).state).toEqual(expected);
  });

  it('sends no delta when nothing differs, numbers by value and arrays whole', async () => {
    // WHEN
    const same = await update({ desired: { n: 1.0, l: [1, { a: 2 }] }, reported: { n: 1, l: [1, { a: 2 }] } });
    const different = await update({ reported: { l: [1, { a: 3 }] } });

    // THEN
    expect(same.map(([topic]) => topic)).toEqual(['update/documents', 'update/accepted']);
    expect(different[0]).toMatchObject(['update/delta', { state: { l: [1, { a: 2 }] } }]);
  });

  it('keeps a key called __proto__ as a key', async () => {
    // WHEN
    await ask(CLASSIC, 'update', '{"state":{"desired":{"__proto__":{"polluted":1},"a":1}}}');

    // THEN
    const last = fixture.passed.all.at(-1);
    expect(last?.payload.toString()).toContain('"__proto__":{"polluted":1}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each([
    ['no JSON', '{"state"', 400, 'Invalid JSON'],
    ['no object', '[]', 400, 'Invalid JSON'],
    ['no state', '{}', 400, 'Missing required node: state'],
    ['a state that is no object', '{"state":1}', 400, 'State node must be an object'],
    ['desired that is no object', '{"state":{"desired":[]}}', 400, 'Desired node must be an object'],
    ['reported that is no object', '{"state":{"reported":"x"}}', 400, 'Reported node must be an object'],
    ['another node', '{"state":{"delta":{}}}', 400, "State contains an invalid node: 'delta'"],
    ['null in an array', '{"state":{"desired":{"l":[1,null]}}}', 400, "State contains an invalid node: 'l'"],
    ['a broken version', '{"state":{},"version":"1"}', 400, 'Invalid version'],
    ['a broken token', '{"state":{},"clientToken":1}', 400, 'Invalid clientToken'],
    ['a long token', JSON.stringify({ state: {}, clientToken: 'x'.repeat(65) }), 400, 'Invalid clientToken'],
    [
      'nine levels',
      '{"state":{"desired":{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}}}',
      400,
      'JSON contains too many levels of nesting; maximum is 8',
    ],
    ['another version', '{"state":{},"version":7}', 409, 'Version conflict'],
    [
      'more than 8 KB',
      JSON.stringify({ state: { desired: { a: 'x'.repeat(8192) } } }),
      413,
      'The payload exceeds the maximum size allowed',
    ],
  ])('is rejected with %s', async (_name, payload, code, message) => {
    expect(await ask(CLASSIC, 'update', payload)).toEqual([['update/rejected', { code, message, timestamp: TIME }]]);
  });

  it('is rejected when it is no UTF-8, and when the whole document would pass 8 KB', async () => {
    // GIVEN
    await update({ desired: { a: 'x'.repeat(5000) } });

    // WHEN
    await device.mqtt.publishAsync(`${CLASSIC}/update`, Buffer.from([0x7b, 0xff, 0x7d]), { qos: 1 });
    const notUtf8 = JSON.parse(fixture.passed.all.at(-1)?.payload.toString() ?? '');
    const tooLong = await update({ desired: { b: 'x'.repeat(5000) } }, { clientToken: 'mine' });

    // THEN
    expect(notUtf8).toMatchObject({ code: 415 });
    expect(tooLong).toMatchObject([['update/rejected', { code: 413, clientToken: 'mine' }]]);
    expect(await get()).toMatchObject({ version: 1 });
  });

  it('creates no shadow for a thing that the registry does not know', async () => {
    expect(await ask('$aws/things/stranger/shadow', 'update', { state: {} })).toEqual([
      ['update/rejected', { code: 404, message: 'Thing not found' }],
    ]);
  });
});

describe('over HTTP', () => {
  let endpoint: DataEndpoint;

  beforeEach(async () => {
    endpoint = await startDataEndpoint(fixture);
  });
  afterEach(() => endpoint.stop());

  const parse = (payload: Uint8Array | undefined) => JSON.parse(Buffer.from(payload ?? []).toString());
  const send = (state: unknown, more: object = {}, shadowName?: string) =>
    endpoint.client.send(
      new UpdateThingShadowCommand({
        thingName: 'thing',
        payload: Buffer.from(JSON.stringify({ state, ...more })),
        ...(shadowName !== undefined && { shadowName }),
      }),
    );

  it('updates, gets and deletes, and devices hear of it', async () => {
    // GIVEN
    await device.mqtt.subscribeAsync(`${CLASSIC}/update/delta`, { qos: 1 });

    // WHEN
    const updated = await send({ desired: { on: true } });
    const got = await endpoint.client.send(new GetThingShadowCommand({ thingName: 'thing' }));
    const deleted = await endpoint.client.send(new DeleteThingShadowCommand({ thingName: 'thing' }));

    // THEN
    expect(parse(updated.payload)).toEqual({
      state: { desired: { on: true } },
      metadata: { desired: { on: STAMP } },
      version: 1,
      timestamp: TIME,
    });
    expect(parse(got.payload)).toMatchObject({ state: { desired: { on: true }, delta: { on: true } } });
    expect(parse(deleted.payload)).toEqual({ version: 1, timestamp: TIME });
    expect(JSON.parse((await device.inbox.next()).text)).toMatchObject({ state: { on: true } });
  });

  it('answers errors as exceptions, and no device hears of them', async () => {
    // GIVEN
    await send({ desired: { on: true } });
    const before = fixture.passed.all.length;

    // WHEN
    const get = new GetThingShadowCommand({ thingName: 'thing', shadowName: 'none' });
    const [conflict, invalid, missing] = await Promise.allSettled([
      send({}, { version: 9 }),
      send(1),
      endpoint.client.send(get),
    ]);

    // THEN
    expect(conflict).toMatchObject({ reason: { name: 'ConflictException', message: 'Version conflict' } });
    expect(invalid).toMatchObject({ reason: { name: 'InvalidRequestException' } });
    expect(missing).toMatchObject({
      reason: { name: 'ResourceNotFoundException', message: "No shadow exists with name: 'thing~none'" },
    });
    expect(fixture.passed.all).toHaveLength(before);
  });

  it('lists named shadows by pages', async () => {
    // GIVEN
    for (const name of ['b', 'c', 'a']) await send({}, {}, name);
    await send({});

    // WHEN
    const first = await endpoint.client.send(new ListNamedShadowsForThingCommand({ thingName: 'thing', pageSize: 2 }));
    const rest = await endpoint.client.send(
      new ListNamedShadowsForThingCommand({ thingName: 'thing', nextToken: first.nextToken }),
    );

    // THEN
    expect([first.results, rest.results, rest.nextToken]).toEqual([['a', 'b'], ['c'], undefined]);
    expect(first.timestamp).toBeGreaterThan(1.7e9);
  });
});
