/** MQTT from a person's app: what a grant opens, what it leaves shut, and how it ends. */
import { CreateThingCommand } from '@aws-sdk/client-iot';
import type { WebSocketClient } from '../../support/mqtt-websocket.ts';
import { WebSocketRefused } from '../../support/mqtt-websocket.ts';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { type AccessRows, accessRows } from './access-platform.ts';

let platform: Platform;
let rows: AccessRows;

beforeAll(async () => {
  platform = await startPlatform();
  rows = accessRows(platform);
});
afterAll(() => platform.stop());

const HOUR = 3600;
let advancedSeconds = 0;

async function advance(seconds: number): Promise<void> {
  advancedSeconds += seconds;
  await platform.advance(seconds);
}

/** Time of the platform, epoch milliseconds. */
function now(): number {
  return Date.now() + advancedSeconds * 1000;
}

async function newThing(name: string): Promise<string> {
  const thing = unique(name);
  await platform.iot.send(new CreateThingCommand({ thingName: thing }));
  await rows.shadow(thing, { lamp: 'off' });
  return thing;
}

/** Someone whose app is known, with these grants. */
async function personWith(grants: Readonly<Record<string, 'viewer' | 'controller' | 'owner'>>): Promise<Person> {
  const person = await newPerson(platform);
  for (const [name, role] of Object.entries(grants)) await rows.grant(person.person, name, role);
  await person.identify();
  await platform.idle();
  return person;
}

const sensors = (thing: string) => `device/${thing}/sensor/+/v1`;

describe('an app', () => {
  it('hears the sensors and the shadow of its person’s thing, and sets its state', async () => {
    const thing = await newThing('lamp');
    const client = await (await personWith({ [thing]: 'owner' })).connect();

    expect(await client.subscribe(sensors(thing))).toBe('accepted');
    expect(await client.subscribe(`$aws/things/${thing}/shadow/update/+`)).toBe('accepted');
    expect(await client.subscribe(`$aws/things/${thing}/shadow/get/+`)).toBe('accepted');
    await rows.reading(thing, 21.5);
    expect(await client.next(({ topic }) => topic.startsWith('device/'))).toMatchObject({ text: '{"value":21.5}' });
    expect(await client.publish(`$aws/things/${thing}/shadow/get`, '')).toBe('accepted');
    expect((await client.next(({ topic }) => topic.endsWith('get/accepted'))).text).toContain('"lamp":"off"');
    const desired = JSON.stringify({ state: { desired: { lamp: 'on' } } });
    expect(await client.publish(`$aws/things/${thing}/shadow/update`, desired)).toBe('accepted');
    expect((await client.next(({ topic }) => topic.endsWith('update/delta'))).text).toContain('"lamp":"on"');
    await client.end();
  });

  it('of a viewer does not set state', async () => {
    const thing = await newThing('watched');
    const person = await personWith({ [thing]: 'viewer' });
    const client = await person.connect();

    expect(await client.subscribe(sensors(thing))).toBe('accepted');
    expect(await client.publish(`$aws/things/${thing}/shadow/get`, '')).toBe('accepted');
    expect(await client.publish(`$aws/things/${thing}/shadow/update`, '{}')).toBe('closed');
  });

  it('reaches the things of a site, those that come later too, and none whose name begins like it', async () => {
    const site = unique('macdonald');
    const person = await personWith({ [`${site}-*`]: 'controller' });
    const [inside, beside] = [await newThing(`${site}-barn`), await newThing(`${site}x-barn`)];

    const client = await person.connect();
    expect(await client.subscribe(sensors(inside))).toBe('accepted');
    expect(await client.publish(`$aws/things/${inside}/shadow/get`, '')).toBe('accepted');
    expect(await client.subscribe(sensors(beside))).toBe('closed');
    await expect((await person.connect()).publish(`$aws/things/${site}/shadow/get`, '')).resolves.toBe('closed');
  });

  describe('of an owner', () => {
    let person: Person;
    let thing: string;
    let other: string;

    beforeAll(async () => {
      thing = await newThing('mine');
      other = await newThing('theirs');
      person = await personWith({ [thing]: 'owner' });
    });

    const publications: readonly (readonly [string, () => string])[] = [
      ['readings in the name of the thing', () => `device/${thing}/sensor/temperature/v1`],
      ['to the named shadow of the firmware', () => `$aws/things/${thing}/shadow/name/firmware/update`],
      ['to a named shadow that is called shadow', () => `$aws/things/${thing}/shadow/name/shadow/update`],
      ['the deletion of the shadow', () => `$aws/things/${thing}/shadow/delete`],
      ['a command', () => `device/${thing}/command/1/v1`],
      ['an outcome', () => `device/${thing}/command/1/v1/outcome`],
      ['a request for a pairing code', () => `device/${thing}/pairing/v1`],
      ['to the files of the thing', () => `device/${thing}/files/1/v1`],
      ['to the firmware of the thing', () => `device/${thing}/firmware/1/v1`],
      ['to Basic Ingest', () => `$aws/rules/thingstead_telemetry/device/${thing}/sensor/temperature/v1`],
      ['to another thing’s shadow', () => `$aws/things/${other}/shadow/update`],
    ];
    it.each(publications)('does not publish %s', async (_what, topic) => {
      const client = await person.connect('publisher');
      expect(await client.publish(topic(), '{}')).toBe('closed');
    });

    const subscriptions: readonly (readonly [string, () => string])[] = [
      ['everything', () => '#'],
      ['everything of its thing', () => `device/${thing}/#`],
      ['sensors of all things', () => 'device/+/sensor/+/v1'],
      ['shadows of all things', () => '$aws/things/+/shadow/update/documents'],
      ['all of its shadow, named ones with it', () => `$aws/things/${thing}/shadow/#`],
      ['the named shadow of the firmware', () => `$aws/things/${thing}/shadow/name/firmware/get/+`],
      ['a named shadow that is called shadow', () => `$aws/things/${thing}/shadow/name/shadow/get/+`],
      ['commands', () => `device/${thing}/command/+/v1`],
      ['pairing codes', () => `device/${thing}/pairing/v1/accepted`],
      ['files', () => `device/${thing}/files/+/v1`],
      ['files of a transfer that is called sensor', () => `device/${thing}/files/sensor/v1`],
      ['firmware', () => `device/${thing}/firmware/+/v1`],
      ['who connects', () => '$aws/events/presence/connected/+'],
      ['another thing’s sensors', () => sensors(other)],
      ['another thing’s shadow', () => `$aws/things/${other}/shadow/get/accepted`],
    ];
    it.each(subscriptions)('does not subscribe to %s', async (_what, filter) => {
      const client = await person.connect('subscriber');
      expect(await client.subscribe(filter())).toBe('closed');
    });

    it('connects as nobody else: not as a thing, not as another identity, not as its identity without a tab', async () => {
      const stranger = await personWith({ [other]: 'owner' });
      const ids = [thing, other, await person.identityId(), `${await stranger.identityId()}-tab1`];
      for (const clientId of ids) {
        await expect(person.connect('tab1', { clientId })).rejects.toBeInstanceOf(WebSocketRefused);
      }
    });

    it.each(['a/b', '/', 'a#', 'a+b'])(
      'connects under no name of which no life-cycle event tells: tab %s',
      async (tab) => {
        await expect(person.connect(tab)).rejects.toBeInstanceOf(WebSocketRefused);
      },
    );
  });

  it('whose person has nothing, or has not named the identity, does not connect', async () => {
    const thing = await newThing('unnamed');
    const nothing = await personWith({});
    const unnamed = await newPerson(platform);
    await rows.grant(unnamed.person, thing, 'owner');
    await platform.idle();

    await expect(nothing.connect()).rejects.toBeInstanceOf(WebSocketRefused);
    await expect(unnamed.connect()).rejects.toBeInstanceOf(WebSocketRefused);
  });
});

describe('access that is taken away', () => {
  it('silences a stream, and ends the connection', async () => {
    const thing = await newThing('sold');
    const person = await personWith({ [thing]: 'owner' });
    const client = await person.connect();
    await client.subscribe(sensors(thing));
    let streaming = true;
    const stream = (async () => {
      for (let value = 0; streaming; value += 1) await rows.reading(thing, value);
    })();
    await client.next(({ text }) => text === '{"value":20}');

    await rows.revoke(person.person, thing);
    expect((await person.call('GET', `/things/${thing}`)).status).toBe(404);
    await client.closed;
    const heard = client.messages.length;
    streaming = false;
    await stream;

    expect(client.messages).toHaveLength(heard);
    await expect(person.connect()).rejects.toBeInstanceOf(WebSocketRefused);
    expect(await rows.policies(person.person)).toEqual({});
  });

  it('leaves what is left: the app connects again and hears the other thing', async () => {
    const [kept, lost] = [await newThing('kept'), await newThing('lost')];
    const person = await personWith({ [kept]: 'owner', [lost]: 'owner' });
    const before = await person.connect();

    await rows.revoke(person.person, lost);
    await before.closed;
    await platform.idle();
    // Longer than clocks may differ: what begins at the very moment is ended too.
    await advance(10);

    const after = await person.connect();
    expect(await after.subscribe(sensors(kept))).toBe('accepted');
    await platform.idle();
    await after.ping();
    expect(await after.subscribe(sensors(lost))).toBe('closed');
  });

  it('in part: a controller who becomes a viewer hears and does not set', async () => {
    const thing = await newThing('lowered');
    const person = await personWith({ [thing]: 'controller' });
    const before = await person.connect();

    await rows.grant(person.person, thing, 'viewer');
    await before.closed;
    await advance(10);

    const after = await person.connect();
    expect(await after.subscribe(sensors(thing))).toBe('accepted');
    expect(await after.publish(`$aws/things/${thing}/shadow/update`, '{}')).toBe('closed');
  });

  it('ends no connection of anybody else, and none when access grows', async () => {
    const [thing, more] = [await newThing('shared'), await newThing('more')];
    const [owner, guest] = [await personWith({ [thing]: 'owner' }), await personWith({ [thing]: 'viewer' })];
    const [stays, goes] = [await owner.connect(), await guest.connect()];

    await rows.grant(owner.person, more, 'viewer');
    await rows.revoke(guest.person, thing);
    await goes.closed;
    await platform.idle();

    await stays.ping();
    expect(await stays.subscribe(sensors(more))).toBe('accepted');
  });

  it('ends a connection of which it is told late', async () => {
    const [thing, kept] = [await newThing('late'), await newThing('late-kept')];
    const person = await personWith({ [thing]: 'owner', [kept]: 'owner' });
    const topic = `$aws/events/presence/connected/${await person.identityId()}-tab1`;
    await platform.faults([{ at: 'event', match: { topic }, do: 'delay', delaySeconds: 60 }]);
    const client = await person.connect('tab1', { connect: { keepalive: 0 } });
    await rows.revoke(person.person, thing);
    await platform.idle();
    await client.ping();

    await platform.faults([]);
    await advance(61);

    await client.closed;
  });
});

describe('a grant with an end', () => {
  it('ends at its time, far off as it may be', async () => {
    const thing = await newThing('lent');
    const person = await newPerson(platform);
    await rows.grant(person.person, thing, 'viewer', now() + 2 * HOUR * 1000);
    await person.identify();

    await advance(2 * HOUR - 120);
    await person.refresh();
    const client = await person.connect('guest', { connect: { keepalive: 0 } });
    await client.subscribe(sensors(thing));
    await client.ping();
    await rows.reading(thing, 1);
    await client.next();
    await advance(240);

    await client.closed;
    expect(await rows.rows(person.person)).not.toContainEqual(expect.objectContaining({ role: 'viewer' }));
    expect(await rows.policies(person.person)).toEqual({});
  });
});

describe('who has access', () => {
  it('is told about it, and not any more when access ends; what they chose themselves stays', async () => {
    const [thing, site] = [unique('told'), `${unique('farm')}-*`];
    const { person } = await newPerson(platform);
    const watching = async () => [...(await rows.watchers(thing)), ...(await rows.watchers(site))];
    await rows.grant(person, thing, 'viewer');
    await rows.grant(person, site, 'owner');
    await platform.idle();
    expect(await watching()).toEqual([`person#${person}`, `person#${person}`]);

    await rows.askChannels({ action: 'unwatch', person, target: { kind: 'thing', name: thing } });
    await rows.grant(person, thing, 'controller');
    await platform.idle();
    expect(await rows.watchers(thing)).toEqual([]);

    await rows.revoke(person, site);
    await platform.idle();
    expect(await watching()).toEqual([]);
  });
});

describe('many grants', () => {
  it('spread over several policies, in any order of coming and going; a thing is never without one', async () => {
    const names = Array.from({ length: 20 }, (_, n) => unique(`thing${String.fromCharCode(97 + n)}`));
    const person = await personWith({ [names[10] ?? '']: 'owner' });
    let client: WebSocketClient = await person.connect();

    await rows.grantAll(person.person, names, 'owner');
    await platform.idle();
    for (const name of names) expect(await client.subscribe(sensors(name))).toBe('accepted');
    const documents = Object.keys(await rows.policies(person.person)).length;
    expect(documents).toBeGreaterThan(3);

    for (const name of names.slice(0, 18)) await rows.revoke(person.person, name);
    await client.closed;
    await advance(10);
    client = await person.connect();
    for (const name of names.slice(18)) expect(await client.subscribe(sensors(name))).toBe('accepted');
    expect(Object.keys(await rows.policies(person.person))).toHaveLength(1);
  });
});
