/** What Alexa is told, in memory: by whom it may be known, in which order, and what becomes of it when something fails. */
import { change, grantOf, ReportsWorld } from './voice-reports-world.ts';
import { lamp, START } from './voice-world.ts';

let world: ReportsWorld;

beforeEach(() => {
  world = new ReportsWorld();
  world.link('mary');
  world.grant('mary');
});

describe('a change', () => {
  it('is told to everybody who may know it and has linked, and to nobody else', async () => {
    world.grant('john');
    world.link('anne');
    world.things.set('farm-1', lamp('farm-1'));

    expect(await world.deliver(change(2, { power: true }))).toBe(0);

    expect(world.posted).toEqual([{ token: 'token of mary', name: 'ChangeReport', changed: ['ON'] }]);
  });

  it('is told once, however often it comes', async () => {
    await world.deliver(change(2, { power: true }));
    await world.deliver(change(2, { power: true }), change(2, { power: true }));

    expect(world.posted).toHaveLength(1);
  });

  it('is not told after a later one', async () => {
    await world.deliver(change(3, { power: false }, { previous: { power: true } }));
    await world.deliver(change(2, { power: true }));

    expect(world.posted).toMatchObject([{ changed: ['OFF'] }]);
  });

  it('is told of a thing that was made anew, whose versions begin again', async () => {
    await world.deliver(change(900, { power: true }, { seconds: 10 }));
    await world.deliver(change(2, { power: true }, { seconds: 20 }));

    expect(world.posted).toHaveLength(2);
  });

  it.each([
    ['of something that Alexa cannot know', change(2, { power: false, rssi: -40 })],
    ['of something that the thing does not have', change(2, { power: false, motion: true })],
    ['to something that means nothing', change(2, { power: 'perhaps' })],
  ])('%s is not told', async (_, report) => {
    expect(await world.deliver(report)).toBe(0);
    expect(world.posted).toEqual([]);
  });

  it('is not told of a thing that has not described itself', async () => {
    world.things.clear();

    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.posted).toEqual([]);
  });

  it('is not told to somebody whom the index still has, and whose grant is gone', async () => {
    world.grants.length = 0;
    world.indexed.push('mary');

    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.posted).toEqual([]);
  });

  it('that fails for one is told to the others, and comes again for that one alone', async () => {
    world.link('john');
    world.grant('john');
    world.answers.push({ outcome: 'failed', reason: '503' });

    expect(await world.deliver(change(2, { power: true }))).toBe(1);
    expect(world.posted).toHaveLength(1);
    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.posted.map(({ token }) => token).sort()).toEqual(['token of john', 'token of mary']);
  });
});

describe('tokens', () => {
  it('that end within a minute are renewed first', async () => {
    world.link('mary', START + 60_000);

    await world.deliver(change(2, { power: true }));

    expect(world.posted).toMatchObject([{ token: 'new' }]);
    expect(world.links.get('mary')?.tokens.accessToken).toBe('new');
  });

  it('that the gateway does not take are renewed once; then the report comes again', async () => {
    world.answers.push({ outcome: 'unauthorized' }, { outcome: 'unauthorized' });

    expect(await world.deliver(change(2, { power: true }))).toBe(1);
    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.posted).toMatchObject([{ token: 'new' }]);
  });

  it.each([
    ['the skill is disabled', () => world.answers.push({ outcome: 'disabled' })],
    [
      'Amazon refuses the refresh token',
      () => {
        world.link('mary', START);
        world.login = { ok: false, refused: 'invalid_grant' };
      },
    ],
  ])('are removed when %s, and nothing comes again', async (_, happens) => {
    happens();

    expect(await world.deliver(change(2, { power: true }))).toBe(0);
    expect(world.links.size).toBe(0);
    expect(world.unlinked).toEqual(['mary']);
    expect(world.reported.size).toBe(0);
  });

  it('are removed when the person has left', async () => {
    await world.deliver({ kind: 'person-left', person: 'mary' }, { kind: 'person-left', person: 'nobody' });

    expect(world.links.size).toBe(0);
  });
});

describe('a grant', () => {
  it('that is there adds the thing, whatever the message was about', async () => {
    await world.deliver(grantOf('mary', 'thing#lamp'), grantOf('mary', 'thing#lamp'));

    expect(world.posted.map(({ name }) => name)).toEqual(['AddOrUpdateReport', 'AddOrUpdateReport']);
  });

  it('that is gone takes the thing away, unless the site still gives it', async () => {
    world.things.set('farm-1', lamp('farm-1'));
    world.grants.length = 0;
    world.grant('mary', { kind: 'site', name: 'farm' });

    await world.deliver(grantOf('mary', 'thing#lamp'));
    await world.deliver(grantOf('mary', 'thing#farm-1'));

    expect(world.posted.map(({ name }) => name)).toEqual(['DeleteReport', 'AddOrUpdateReport']);
  });

  it('for a site is about all its things', async () => {
    for (const name of ['farm-1', 'farm-2']) world.things.set(name, lamp(name));
    await world.deliver(grantOf('mary', 'site#farm'));
    world.grant('mary', { kind: 'site', name: 'farm' });
    await world.deliver(grantOf('mary', 'site#farm'));

    expect(world.posted.map(({ name }) => name)).toEqual(['DeleteReport', 'AddOrUpdateReport']);
  });

  it('of somebody whose link is gone takes away what they were told', async () => {
    await world.deliver(change(2, { power: true }));
    world.links.clear();
    await world.deliver(grantOf('mary', 'thing#lamp'));

    expect(world.reported.size).toBe(0);
  });

  it('of somebody who has not linked is nobody’s business', async () => {
    world.grant('john');

    expect(await world.deliver(grantOf('john', 'thing#lamp'))).toBe(0);
    expect(world.posted).toEqual([]);
  });
});

describe('the stream', () => {
  const record = (eventName: string, pk: string, sk: string) => ({
    eventName,
    dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } },
  });

  it('of the access table becomes messages: which grant to look at, and who has left', async () => {
    const Records = [
      record('INSERT', 'person#mary', 'grant#thing#lamp'),
      record('REMOVE', 'person#mary', 'grant#site#farm'),
      record('MODIFY', 'person#mary', 'profile'),
      record('REMOVE', 'person#john', 'profile'),
    ];

    expect(await world.handler({ Records } as never)).toEqual({ batchItemFailures: [] });

    expect(world.queued).toEqual([
      { kind: 'grant', person: 'mary', target: 'thing#lamp' },
      { kind: 'grant', person: 'mary', target: 'site#farm' },
      { kind: 'person-left', person: 'john' },
    ]);
  });
});

describe('cut off at any call', () => {
  const calls = [
    ...['people.people', 'links.find', 'links.open', 'things.read', 'grants.find', 'reported.last'],
    ...['authorizations.refresh', 'links.renew', 'gateway.post', 'reported.write'],
  ];

  it.each(calls.flatMap((call) => [false, true].map((after) => ({ call, after }))))(
    'a change comes again and is told: $call, after its effect: $after',
    async (crash) => {
      world.link('mary', START);
      world.crash = crash;

      expect(await world.deliver(change(2, { power: true }))).toBe(1);
      expect(world.crash).toBeUndefined();
      await world.deliver(change(2, { power: true }));

      // Twice only when the answer of the gateway, or that it was told, was lost.
      const twice = (crash.call === 'gateway.post' && crash.after) || (crash.call === 'reported.write' && !crash.after);
      expect(world.posted).toHaveLength(twice ? 2 : 1);
      expect(world.reported.get('mary lamp')).toMatchObject({ version: 2 });
    },
  );
});

it.each(['no JSON', '{}', '{"kind":"grant","person":"mary","target":"owner"}'])(
  '%s comes again and ends in the queue of failures',
  async (body) => {
    expect(await world.deliver(body, change(2, { power: true }))).toBe(1);
    expect(world.posted).toHaveLength(1);
  },
);
