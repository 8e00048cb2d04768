/** People list what is theirs, operators list the fleet: by name, page by page, at the same cost however much there is. */
import { TABLE_NAMES } from '@thingstead/contracts/names';
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { describeLocally } from '../../support/target.ts';
import { unique } from '../../support/unique-name.ts';
import { page, pages, readUnits } from './reading-api.ts';
import { storedThings } from './stored-things.ts';

let platform: Platform;
let stored: ReturnType<typeof storedThings>;
let mary: Person;
let eve: Person;
let operator: Person;
let support: Person;

beforeAll(async () => {
  platform = await startPlatform();
  stored = storedThings(platform);
  [mary, eve, operator, support] = await Promise.all([
    newPerson(platform),
    newPerson(platform),
    newPerson(platform, { groups: ['operator'] }),
    newPerson(platform, { groups: ['support'] }),
  ]);
});
afterAll(() => platform.stop());

/** A name without a hyphen that no other test uses. */
function named(name: string): string {
  return unique(name).replaceAll('-', '_');
}

const farm = named('farm');
const [door, bell, stranger] = [named('door'), named('bell'), named('stranger')];
const OWNED_SINCE = Date.UTC(2026, 10, 1);

beforeAll(async () => {
  await stored.things([
    ...['a1', 'a2', 'b1', 'c-1'].map((name) => ({ name: `${farm}-${name}`, type: named('station') })),
    { name: door, label: 'Front door', labelledFor: OWNED_SINCE, type: named('lock'), firmware: `${unique('2.0')}` },
    { name: bell, connected: false },
    // Sites whose names begin with the name of the other one.
    { name: `${farm}_x-1` },
    { name: `${farm}x-1` },
    { name: stranger },
  ]);
  await stored.grant(mary.person, { kind: 'site', name: farm }, 'viewer');
  await stored.grant(mary.person, { kind: 'thing', name: door }, 'owner', { visibleFrom: OWNED_SINCE });
  await stored.grant(mary.person, { kind: 'thing', name: bell }, 'controller');
  await stored.grant(eve.person, { kind: 'site', name: `${farm}_x` });
});

const inFarm = ['a1', 'a2', 'b1', 'c-1'].map((name) => `${farm}-${name}`);
const hers = [...inFarm, door, bell].sort();

describe('a person', () => {
  it('lists single things and those of sites by name, and none of a site whose name begins alike', async () => {
    expect(await pages(mary, '/things')).toEqual([hers]);
    expect(await pages(mary, '/things?limit=4')).toEqual([hers.slice(0, 4), hers.slice(4)]);
    expect((await pages(mary, '/things?limit=1')).flat()).toEqual(hers);
    expect(await pages(eve, '/things')).toEqual([[`${farm}_x-1`]]);
  });

  it('sees what a thing is and what it is called', async () => {
    const { body } = await mary.call('GET', `/things?prefix=${door}`);

    expect(body).toEqual({
      things: [
        {
          thing: door,
          label: 'Front door',
          role: 'owner',
          thingType: named('lock'),
          model: 'weather-station',
          hardwareRevision: 'B',
          serial: `WS-${door}`,
          firmwareVersion: unique('2.0'),
          sensors: [{ name: 'temperature', unit: 'Cel' }],
          capabilities: [],
          connected: true,
          since: OWNED_SINCE,
        },
      ],
    });
  });

  it.each([
    [`site=${farm}`, inFarm],
    [`site=${farm}_x`, []],
    [`prefix=${farm}-a`, inFarm.slice(0, 2)],
    [`type=${named('station')}&limit=3`, inFarm],
    ['connected=false', [bell]],
    [`firmware=${unique('2.0')}`, [door]],
    ['text=FRONT%20D', [door]],
    [`text=${bell.toUpperCase()}`, [bell]],
    ['role=controller', [bell]],
    ['role=viewer&connected=true', inFarm],
  ])('finds by %s', async (query, expected) => {
    expect((await pages(mary, `/things?${query}`)).flat()).toEqual(expected);
  });

  it.each([
    'connected=maybe',
    'limit=0',
    'limit=101',
    'site=a-b',
    'prefix=%20',
    'text=',
    'owner=x',
    'sort=name',
    'role=god',
  ])('gets 400 for %s, with the field named', async (query) => {
    const { status, headers, body } = await mary.call('GET', `/things?${query}`);

    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(body.errors).toEqual([{ field: `query.${query.split('=')[0]}`, message: expect.any(String) }]);
  });

  it('cannot go on with the cursor of another person, nor of another list', async () => {
    const { cursor } = await page(mary, '/things?limit=2');

    for (const [who, path] of [
      [eve, '/things?limit=2'],
      [mary, '/things?limit=2&connected=true'],
      [operator, '/operator/things?limit=2'],
    ] as const) {
      const { status, body } = await who.call('GET', `${path}&cursor=${cursor}`);
      expect([status, body.detail]).toEqual([400, expect.stringContaining('query.cursor')]);
    }
  });

  it('lists nothing more of what was taken away, from the next page on', async () => {
    const person = await newPerson(platform);
    await stored.grant(person.person, { kind: 'site', name: farm });
    await stored.grant(person.person, { kind: 'thing', name: bell }, 'viewer');
    const first = await page(person, `/things?limit=1`);
    expect(first.names).toEqual([bell]);

    await stored.revoke(person.person, { kind: 'site', name: farm });

    expect(await page(person, '/things?limit=1', first.cursor)).toEqual({ names: [], cursor: undefined });
  });
});

describe('staff', () => {
  it.each([
    [`site=${farm}`, inFarm],
    [`type=${named('station')}`, inFarm],
    [`type=${named('station')}&prefix=${farm}-b`, [`${farm}-b1`]],
    [`firmware=${unique('2.0')}`, [door]],
    [`connected=false&prefix=${bell}`, [bell]],
    [`prefix=${farm}`, [...inFarm, `${farm}_x-1`, `${farm}x-1`].sort()],
    [`text=front&prefix=${door}`, [door]],
  ])('find in the fleet by %s', async (query, expected) => {
    expect((await pages(operator, `/operator/things?limit=2&${query}`)).flat()).toEqual(expected);
    expect((await pages(support, `/operator/things?${query}`)).flat()).toEqual(expected);
  });

  it('find by owner, without what that person may only see', async () => {
    const found = await pages(operator, `/operator/things?owner=${mary.person}`);

    expect(found).toEqual([[door]]);
  });

  it('alone list the fleet', async () => {
    const { status, body } = await mary.call('GET', '/operator/things');

    expect([status, body.things]).toEqual([403, undefined]);
  });
});

describeLocally('ten thousand rows and the meter', 'a person with 10 000 things under one site', () => {
  const site = named('large');
  const count = 10_000;
  const name = (number: number): string => `${site}-${String(number).padStart(5, '0')}`;
  let person: Person;

  beforeAll(async () => {
    person = await newPerson(platform);
    await stored.grant(person.person, { kind: 'site', name: site });
    await stored.things(Array.from({ length: count }, (_, number) => ({ name: name(number) })));
  }, 300_000);

  it('lists them to the end, page by page, each page at the same cost', async () => {
    const costs = new Set<number>();
    let next: string | undefined;
    let seen = 0;
    do {
      const units = await readUnits(platform, TABLE_NAMES.things, async () => {
        const { names, cursor } = await page(person, '/things?limit=100', next);
        expect(names).toEqual(Array.from({ length: 100 }, (_, number) => name(seen + number)));
        seen += names.length;
        next = cursor;
      });
      costs.add(units);
    } while (next !== undefined);

    expect(seen).toBe(count);
    // A hundred rows, half a unit each, and their names.
    expect([...costs].every((units) => units >= 50 && units <= 54)).toBe(true);
  }, 300_000);

  it.each([
    ['/things', 100],
    [`/operator/things?site=${site}`, 100],
    ['/operator/things?type=station', 100],
    ['/operator/things?firmware=1.0.0', 100],
    ['/operator/things?connected=true', 100],
    [`/operator/things?prefix=${site}`, 100],
    ['/operator/things', 100],
  ])('costs no more for the first page of %s than a hundred rows and their names', async (path, limit) => {
    const who = path.startsWith('/operator') ? operator : person;
    const units = await readUnits(platform, TABLE_NAMES.things, () =>
      page(who, `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`),
    );

    expect(units).toBeGreaterThanOrEqual(50);
    expect(units).toBeLessThan(60);
  });

  it('finds the last one by its name at once, and by text in short pages that carry a cursor', async () => {
    expect(await page(person, `/things?prefix=${name(count - 1)}`)).toEqual({
      names: [name(count - 1)],
      cursor: undefined,
    });

    const found = await pages(person, `/things?text=${name(count - 1)}&limit=100`);

    expect(found.flat()).toEqual([name(count - 1)]);
    expect(found).toHaveLength(count / 1000);
  });
});
