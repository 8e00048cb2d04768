/** Who may give commands and see them, which requests are the same, and which outcomes count. */
import { randomUUID } from 'node:crypto';
import { ulidOf } from '@thingstead/contracts/ulid';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { commandsPlatform, SILENT } from './commands-platform.ts';

const MINUTE = 60;

describeLocally('a clock that can be advanced', 'commands', () => {
  let platform: Platform;
  let on: Awaited<ReturnType<typeof commandsPlatform>>;
  let mary: Person;
  let john: Person;
  let operator: Person;
  let support: Person;

  beforeAll(async () => {
    platform = await startPlatform();
    on = await commandsPlatform(platform);
    [mary, john, operator, support] = await Promise.all([
      newPerson(platform),
      newPerson(platform),
      newPerson(platform, { groups: ['operator'] }),
      newPerson(platform, { groups: ['support'] }),
    ]);
  });
  beforeEach(async () => {
    await Promise.all([mary, john, operator, support].map((person) => person.refresh()));
  });
  afterAll(() => platform.stop());

  async function marysThing(): Promise<string> {
    const { thing } = await on.thing();
    await on.grant(mary, thing, 'owner');
    return thing;
  }

  function post(person: Person, thing: string, body: unknown, key: string | undefined = randomUUID()) {
    const headers = key === undefined ? {} : { 'idempotency-key': key };
    return person.call('POST', `/things/${thing}/commands`, body, { headers });
  }

  describe('who gives them', () => {
    it('a viewer may not, a stranger finds no thing; neither leaves a command', async () => {
      const thing = await marysThing();
      await on.grant(john, thing, 'viewer');
      const stranger = await newPerson(platform);

      expect((await post(john, thing, { name: 'blink' })).status).toBe(403);
      expect((await post(stranger, thing, { name: 'blink' })).status).toBe(404);
      expect((await post(support, thing, { name: 'blink' })).status).toBe(404);
      expect((await mary.call('GET', `/things/${thing}/commands`)).body).toEqual({ commands: [] });
    });

    it('a controller and an operator may; a viewer and support see what became of it', async () => {
      const thing = await marysThing();
      await on.grant(john, thing, 'controller');
      const given = await on.give(john, thing, { name: 'blink' });
      const byStaff = await on.give(operator, thing, { name: 'blink' });
      await on.grant(john, thing, 'viewer');

      for (const person of [john, mary, support]) {
        expect(await on.read(person, given)).toMatchObject({ givenBy: john.person });
        const { body } = await person.call('GET', `/things/${thing}/commands`);
        expect(body.commands.map(({ id }: { readonly id: string }) => id)).toEqual([byStaff.id, given.id]);
      }
      expect((await (await newPerson(platform)).call('GET', `/things/${thing}/commands/${given.id}`)).status).toBe(404);
    });

    it('nobody finds a thing that was never there, also an operator', async () => {
      const site = `farm${randomUUID().slice(0, 8)}`;
      await on.grant(mary, `${site}-nothing`, 'owner');

      expect((await post(mary, `${site}-nothing`, { name: 'blink' })).status).toBe(404);
      expect((await post(operator, `${site}-nothing`, { name: 'blink' })).status).toBe(404);
      expect((await operator.call('GET', `/things/${site}-nothing/commands`)).status).toBe(404);
    });

    it('a command of another thing is not there under this one', async () => {
      const [one, other] = [await marysThing(), await marysThing()];
      const given = await on.give(mary, one, { name: 'blink' });

      expect((await mary.call('GET', `/things/${other}/commands/${given.id}`)).status).toBe(404);
    });
  });

  describe('the owner who comes next', () => {
    it('sees none of the commands of the one before', async () => {
      const thing = await marysThing();
      const before = await on.give(mary, thing, { name: 'blink' });
      await platform.advance(1);
      await on.grant(john, thing, 'owner', before.givenAt + 1);
      const after = await on.give(john, thing, { name: 'blink' });

      const { body } = await john.call('GET', `/things/${thing}/commands`);
      expect(body.commands).toMatchObject([{ id: after.id }]);
      expect((await john.call('GET', `/things/${thing}/commands/${before.id}`)).status).toBe(404);
      // Also when a page of an earlier time is turned.
      const earlier = await john.call('GET', `/things/${thing}/commands?cursor=${before.id}`);
      expect(earlier).toMatchObject({ status: 200, body: { commands: [] } });
      expect(await on.read(mary, before)).toMatchObject({ id: before.id });
    });

    it('has a device that does nothing more for the one before', async () => {
      const device = await on.thing();
      await on.grant(mary, device.thing, 'owner');
      await on.grant(john, device.thing, 'controller');
      const [voided, kept, byStaff] = [
        await on.give(mary, device.thing, { name: 'open', ttlSeconds: 3600 }),
        await on.give(john, device.thing, { name: 'close', ttlSeconds: 3600 }),
        await on.give(operator, device.thing, { name: 'reboot', ttlSeconds: 3600 }),
      ];
      // Mary has given it up and was invited again: that is another access.
      await on.grant(mary, device.thing, 'controller', voided.givenAt + 1);

      const lamp = await on.connect(device);

      await platform.soon(async () => expect((await on.read(john, kept)).state).toBe('EXECUTED'));
      expect(
        lamp
          .different()
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(['close', 'reboot']);
      expect(await on.read(operator, byStaff)).toMatchObject({ state: 'EXECUTED' });
      expect(await on.read(operator, voided)).toMatchObject({
        state: 'EXPIRED',
        reason: 'whoever gave it has lost the access to do so',
      });
      await lamp.client.endAsync();
    });
  });

  describe('an Idempotency-Key', () => {
    it('makes the same request the same command, as it is now', async () => {
      const device = await on.thing();
      await on.grant(mary, device.thing, 'owner');
      const lamp = await on.connect(device);
      const key = randomUUID();
      const body = { name: 'blink', payload: { a: 1, b: [2, { c: 3, d: 4 }] }, ttlSeconds: MINUTE };

      const first = await on.give(mary, device.thing, body, key);
      await platform.soon(async () => expect((await on.read(mary, first)).state).toBe('EXECUTED'));
      const reordered = { ttlSeconds: MINUTE, payload: { b: [2, { d: 4, c: 3 }], a: 1 }, name: 'blink' };
      const again = await on.give(mary, device.thing, reordered, key);

      expect(again).toMatchObject({ id: first.id, state: 'EXECUTED', givenAt: first.givenAt });
      expect(lamp.different()).toHaveLength(1);
      await lamp.client.endAsync();
    });

    it('is one command however many requests come at the same time', async () => {
      const device = await on.thing();
      await on.grant(mary, device.thing, 'owner');
      const lamp = await on.connect(device);
      const key = randomUUID();

      const given = await Promise.all(
        Array.from({ length: 20 }, () => on.give(mary, device.thing, { name: 'blink' }, key)),
      );

      expect(new Set(given.map(({ id }) => id)).size).toBe(1);
      await platform.advance(5 * MINUTE);
      expect(lamp.different()).toHaveLength(1);
      expect((await mary.call('GET', `/things/${device.thing}/commands`)).body.commands).toHaveLength(1);
      await lamp.client.endAsync();
    });

    it('is taken: another body, another thing; and free for other people', async () => {
      const [thing, other] = [await marysThing(), await marysThing()];
      await on.grant(john, thing, 'controller');
      const key = randomUUID();
      const first = await on.give(mary, thing, { name: 'blink' }, key);

      expect((await post(mary, thing, { name: 'open' }, key)).status).toBe(409);
      expect((await post(mary, thing, { name: 'blink', ttlSeconds: 301 }, key)).status).toBe(409);
      expect((await post(mary, thing, { name: 'blink', payload: null }, key)).status).toBe(409);
      expect((await post(mary, other, { name: 'blink' }, key)).status).toBe(409);
      expect((await on.give(john, thing, { name: 'blink' }, key)).id).not.toBe(first.id);
    });

    it.each([
      ['without', undefined],
      ['empty', ''],
      ['too long', 'k'.repeat(129)],
    ])('%s: 400 that names the header', async (_, key) => {
      const thing = await marysThing();
      const headers = key === undefined ? {} : { 'idempotency-key': key };
      const answer = await mary.call('POST', `/things/${thing}/commands`, { name: 'blink' }, { headers });

      expect(answer.status).toBe(400);
      expect(answer.body.errors[0].field).toBe('header.idempotency-key');
    });
  });

  it.each([
    ['no name', {}, 'body.name'],
    ['a name with a space', { name: 'no spaces' }, 'body.name'],
    ['too short a life', { name: 'blink', ttlSeconds: 4 }, 'body.ttlSeconds'],
    ['too long a life', { name: 'blink', ttlSeconds: 7 * 86_400 + 1 }, 'body.ttlSeconds'],
    ['too large a payload', { name: 'blink', payload: 'x'.repeat(8192) }, 'body.payload'],
    ['an unknown member', { name: 'blink', later: true }, 'body.later'],
  ])('with %s are refused, and the wrong member is named', async (_, body, field) => {
    const answer = await post(mary, await marysThing(), body);

    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((each: { readonly field: string }) => each.field)).toContain(field);
  });

  it('keeps payloads as JSON has them', async () => {
    const device = await on.thing();
    await on.grant(mary, device.thing, 'owner');
    const lamp = await on.connect(device, ({ payload }) => [{ state: 'EXECUTED', result: payload }]);
    const payloads = [null, false, '', 1e300, -0.5, [], { '': {}, 'a b': [[1]] }, '\u{1f4a1}\0', 2 ** 60];
    for (const payload of payloads) {
      const given = await on.give(mary, device.thing, { name: 'echo', payload });
      const done = await platform.soon(async () => {
        const command = await on.read(mary, given);
        expect(command.state).toBe('EXECUTED');
        return command;
      });
      expect([done.payload, done.result]).toEqual([payload, payload]);
    }
    await lamp.client.endAsync();
  });

  it('are listed in pages, the newest first', async () => {
    const thing = await marysThing();
    const given: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      given.unshift((await on.give(mary, thing, { name: `command-${n}` })).id);
      await platform.advance(1);
    }
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const query = `limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`;
      const { body } = await mary.call('GET', `/things/${thing}/commands?${query}`);
      pages.push(body.commands.map(({ id }: { readonly id: string }) => id));
      ({ cursor } = body);
    } while (cursor !== undefined);

    expect(pages).toEqual([given.slice(0, 2), given.slice(2, 4), given.slice(4)]);
    expect((await mary.call('GET', `/things/${thing}/commands?cursor=nonsense`)).status).toBe(400);
  });

  describe('what a device says', () => {
    it('about no command of its own is counted and logged, and makes no row', async () => {
      const [device, other] = [await on.thing(), await on.thing('other')];
      await on.grant(mary, device.thing, 'owner');
      const lamp = await on.connect(device, SILENT);
      const stranger = await on.connect(other, SILENT);
      const given = await on.give(mary, device.thing, { name: 'blink' });
      const nowhere = ulidOf(Date.now(), new Uint8Array(10));

      await stranger.say(given.id, { state: 'EXECUTED' });
      await lamp.say(nowhere, { state: 'EXECUTED' });
      await lamp.say('no-id', { state: 'EXECUTED' });
      await lamp.say(given.id, 'nonsense');
      await lamp.say(given.id, '{"state":"EXPIRED"}');
      await lamp.say(given.id, `{"state":"EXECUTED","result":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
      await platform.idle();

      expect((await on.read(mary, given)).state).toBe('SENT');
      expect((await mary.call('GET', `/things/${device.thing}/commands/${nowhere}`)).status).toBe(404);
      expect((await operator.call('GET', `/things/${other.thing}/commands`)).body).toEqual({ commands: [] });
      const log = await platform.functionLog('command-deliveries', 'command.outcome_refused');
      const refused = log.split('\n').filter((line) => line !== '');
      expect(refused.map((line) => JSON.parse(line).reason)).toEqual(
        expect.arrayContaining([
          'this thing has no such command',
          'the topic names no command',
          'the outcome is no JSON, or nested too deeply',
          expect.stringContaining('state'),
        ]),
      );
      expect(refused).toHaveLength(6);
      await platform.advance(10 * MINUTE);
      expect(await platform.alarmsInAlarm()).toContain('thingstead-command-outcomes-refused');
      expect(await platform.messagesIn('thingstead-commands-failed', 'thingstead-commands-errors')).toBe(0);
      await Promise.all([lamp, stranger].map(({ client }) => client.endAsync()));
    });

    it('on the topics of another thing is not let through', async () => {
      const [device, other] = [await on.thing(), await on.thing('other')];
      await on.grant(mary, device.thing, 'owner');
      const given = await on.give(mary, device.thing, { name: 'blink' });
      const { client } = await on.connect(other, SILENT);

      const topic = `device/${device.thing}/command/${given.id}/v1`;
      expect(await client.trySubscribe(topic)).not.toBe('accepted');
      const again = await platform.connect(other, { keepalive: 0 });
      expect(await again.tryPublish(`${topic}/outcome`, '{"state":"EXECUTED"}')).not.toBe('accepted');
      expect((await on.read(mary, given)).state).toBe('QUEUED');
      await Promise.all([client, again].map((each) => each.endAsync(true)));
    });
  });
});
