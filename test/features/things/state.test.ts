/** People see and set the state of a thing, and name it. */

import { CreateThingCommand } from '@aws-sdk/client-iot';
import { createCa, issue } from '../../support/certificates.ts';
import type { Person } from '../../support/person.ts';
import { newPerson } from '../../support/person.ts';
import { type DeviceClient, type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { storedThings } from './stored-things.ts';

let platform: Platform;
let stored: ReturnType<typeof storedThings>;
let owner: Person;
let viewer: Person;
let controller: Person;
let stranger: Person;
let operator: Person;
let support: Person;
let device: DeviceClient;

const lamp = unique('lamp').replaceAll('-', '_');
/** A thing that has a row and no shadow. */
const bare = unique('bare').replaceAll('-', '_');
/** A thing that the registry does not have any more. */
const unregistered = unique('gone').replaceAll('-', '_');
const OWNED_SINCE = Date.UTC(2026, 10, 1);

beforeAll(async () => {
  platform = await startPlatform();
  stored = storedThings(platform);
  [owner, viewer, controller, stranger, operator, support] = await Promise.all([
    newPerson(platform),
    newPerson(platform),
    newPerson(platform),
    newPerson(platform),
    newPerson(platform, { groups: ['operator'] }),
    newPerson(platform, { groups: ['support'] }),
  ]);
  const ca = await createCa(unique('lamps'));
  await platform.registerCa(ca);
  const certificate = await issue(ca, lamp);
  await platform.join(certificate);
  device = await platform.connect(certificate);
  await platform.iot.send(new CreateThingCommand({ thingName: bare }));
  await stored.things([{ name: bare }, { name: unregistered }]);
  for (const name of [lamp, bare]) {
    const target = { kind: 'thing', name } as const;
    await stored.grant(owner.person, target, 'owner', { visibleFrom: OWNED_SINCE });
    await stored.grant(viewer.person, target, 'viewer', { visibleFrom: OWNED_SINCE });
    await stored.grant(controller.person, target, 'controller', { visibleFrom: OWNED_SINCE });
  }
});
afterAll(async () => {
  await device?.endAsync(true);
  await platform?.stop();
});

async function report(reported: object): Promise<void> {
  await device.publishAsync(`$aws/things/${lamp}/shadow/update`, JSON.stringify({ state: { reported } }), { qos: 1 });
  await platform.idle();
}

const state = (person: Person, thing = lamp) => person.call('GET', `/things/${thing}/state`);
const desire = (person: Person, desired: unknown, etag?: string, thing = lamp) =>
  person.call(
    'PATCH',
    `/things/${thing}/state`,
    { desired },
    etag === undefined ? {} : { headers: { 'if-match': etag } },
  );

describe('the state of a thing', () => {
  it('is what it reports and what is desired, with the difference and a version', async () => {
    await report({ power: false, colour: { hue: 30 } });

    const { status, body, headers } = await desire(owner, { power: true });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      desired: { power: true },
      reported: { power: false, colour: { hue: 30 } },
      delta: { power: true },
      version: expect.any(Number),
      at: expect.any(Number),
    });
    expect(headers.get('etag')).toBe(`"${body.version}"`);
    await platform.soon(async () =>
      expect(await platform.shadow(lamp)).toMatchObject({ state: { desired: { power: true } } }),
    );

    await report({ power: true });

    await platform.soon(async () => {
      const { body: after } = await state(viewer);
      expect(after).toMatchObject({ desired: { power: true }, reported: { power: true } });
      expect(after.delta).toBeUndefined();
    });
  });

  it('loses a desired member that is set to null', async () => {
    await desire(controller, { mode: 'night' });

    const { body } = await desire(controller, { mode: null });

    expect(body.desired).not.toHaveProperty('mode');
  });

  it('is set over the version that was read, and over no other', async () => {
    const etag = (await state(owner)).headers.get('etag') ?? '';
    const first = await desire(owner, { level: 1 }, etag);
    expect(first.status).toBe(200);

    const second = await desire(controller, { level: 2 }, etag);

    expect([second.status, second.body.detail]).toEqual([412, expect.stringContaining('If-Match')]);
    expect((await state(owner)).body.desired).toMatchObject({ level: 1 });
    expect((await desire(controller, { level: 2 }, first.headers.get('etag') ?? '')).status).toBe(200);
  });

  it('is set once, of twenty who read the same version', async () => {
    const etag = (await state(owner)).headers.get('etag') ?? '';

    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => desire(owner, { winner: n }, etag)));

    const winners = answers.flatMap(({ status }, n) => (status === 200 ? [n] : []));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(412)]);
    expect((await state(owner)).body.desired).toMatchObject({ winner: winners[0] });
  });

  it('that was never reported is empty, has version 0, and is made by the first who desires something', async () => {
    const { status, body, headers } = await state(owner, bare);
    expect([status, body, headers.get('etag')]).toEqual([200, { version: 0, at: expect.any(Number) }, '"0"']);

    const made = await desire(owner, { power: true }, '"0"', bare);

    expect(made).toMatchObject({ status: 200, body: { desired: { power: true }, version: 1 } });
    expect((await desire(owner, { power: false }, '"0"', bare)).status).toBe(412);
  });

  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
  it.each([
    ['is too large', { text: 'x'.repeat(9_000) }, undefined, 'body.desired'],
    ['is nested too deep', { a: nested(9) }, undefined, 'body.desired'],
    ['has null in a list', { list: [null] }, undefined, 'body.desired'],
    ['is about the connection', { connected: true }, undefined, 'body.desired'],
    ['names the session', { session: 'x', power: true }, undefined, 'body.desired'],
    ['is no object', [1], undefined, 'body.desired'],
    ['has a version that is none', { power: true }, '*', 'header.if-match'],
  ])('is refused when it %s', async (_, desired, etag, field) => {
    const { status, body, headers } = await desire(owner, desired, etag);

    expect([status, headers.get('content-type')]).toEqual([400, 'application/problem+json']);
    expect(body.detail).toContain(field);
  });

  it('may also be told to staff, of a thing that is there', async () => {
    expect((await state(support)).status).toBe(200);
    expect((await desire(operator, { checked: true })).status).toBe(200);
    expect((await state(operator, 'nowhere')).status).toBe(404);
    expect((await desire(operator, { power: true }, undefined, 'nowhere')).status).toBe(404);
    expect((await desire(operator, { power: true }, undefined, unregistered)).status).toBe(404);
    expect(await platform.shadow('nowhere')).toBeUndefined();
  });

  it('is not for others', async () => {
    expect((await state(stranger)).status).toBe(404);
    expect((await desire(stranger, { power: true })).status).toBe(404);
    expect((await desire(viewer, { power: true })).status).toBe(403);
    expect((await desire(support, { power: true })).status).toBe(404);
  });
});

describe('the label of a thing', () => {
  const label = async (person: Person): Promise<unknown> => (await person.call('GET', `/things/${lamp}`)).body.label;
  const name = (person: Person, text: unknown) => person.call('PATCH', `/things/${lamp}`, { label: text });

  it('is given by a controller, seen by all who share it, and taken away with null', async () => {
    const { status, body } = await name(controller, '  Stehlampe 🛋 ');
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ thing: lamp, label: 'Stehlampe 🛋', role: 'controller' }),
    ]);
    expect(await Promise.all([owner, viewer, support].map(label))).toEqual(Array(3).fill('Stehlampe 🛋'));
    expect((await viewer.call('GET', '/things?text=STEHLAMPE')).body.things).toEqual([
      expect.objectContaining({ thing: lamp }),
    ]);

    await name(controller, null);

    expect(await label(owner)).toBeUndefined();
  });

  it('that an operator gives is seen by the owner', async () => {
    expect((await name(operator, 'Ward 3')).status).toBe(200);

    expect(await label(owner)).toBe('Ward 3');
  });

  it('that an operator gives is seen by the owner, also when they have shared the thing with the operator', async () => {
    const friend = await newPerson(platform, { groups: ['operator'] });
    await stored.grant(friend.person, { kind: 'thing', name: lamp }, 'viewer', { visibleFrom: OWNED_SINCE });

    expect((await name(friend, 'Ward 4')).status).toBe(200);

    expect(await label(owner)).toBe('Ward 4');
  });

  it('is not seen by the next owner, nor is it changed by who had it before', async () => {
    await name(owner, 'Mine');
    const next = await newPerson(platform);
    await stored.grant(next.person, { kind: 'thing', name: lamp }, 'owner', { visibleFrom: OWNED_SINCE + 1 });
    expect(await label(next)).toBeUndefined();
    expect((await next.call('GET', '/things?text=mine')).body.things).toEqual([]);
    await name(next, 'Not yours');

    // Their grant is about to go.
    expect((await name(owner, 'Still mine')).status).toBe(404);

    expect(await label(next)).toBe('Not yours');
  });

  it.each([
    ['empty', ' '],
    ['too long', 'x'.repeat(65)],
    ['a control character', 'a\u0007b'],
    ['half of a surrogate pair', '\ud800'],
    ['no text', 5],
  ])('is refused when it is %s', async (_, text) => {
    const { status, body } = await name(owner, text);

    expect([status, body.detail]).toEqual([400, expect.stringContaining('body.label')]);
  });

  it('is not for viewers, support or strangers to give', async () => {
    expect(await Promise.all([viewer, support, stranger].map(async (who) => (await name(who, 'x')).status))).toEqual([
      403, 404, 404,
    ]);
    expect((await operator.call('PATCH', '/things/nowhere', { label: 'x' })).status).toBe(404);
  });
});
