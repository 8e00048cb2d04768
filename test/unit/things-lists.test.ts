/** Lists page by page while things come and go, against a plain filter over all things. */
import { MAX_ROWS_EXAMINED } from '@thingstead/contracts/routes/things';
import { siteOf, type ThingRow } from '@thingstead/contracts/things';
import fc from 'fast-check';
import { NOW, PERSON, ThingsWorld } from './things-world.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 20_000 : 500;
const MINE = 'GET /things';
const FLEET = 'GET /operator/things';
const OPERATOR = { person: 'otto', groups: '[operator]' };

// Few names, so that they meet: sites that begin like others, names that begin like sites.
const SITES = ['farm', 'farm_x', 'f', 'barn'];
const names = fc
  .tuple(fc.constantFrom(...SITES.map((site) => `${site}-`), '', '-', 'farm'), fc.stringMatching(/^[aB_1-]{1,3}$/))
  .map((parts) => parts.join(''));
const members = fc.record(
  {
    thingType: fc.constantFrom('station', 'door'),
    firmwareVersion: fc.constantFrom('1.0', '1.0#3'),
    presence: fc.boolean().map((connected) => ({ connected, since: 1 })),
    label: fc.constantFrom('Front Door', 'Älter', 'barn'),
  },
  { requiredKeys: [] },
);
const things = fc.uniqueArray(fc.tuple(names, members), { selector: ([name]) => name, maxLength: 40 });
const values = {
  site: fc.constantFrom(...SITES),
  prefix: fc.constantFrom('f', 'farm', 'farm-', 'farm_', 'barn-a', '-'),
  type: fc.constantFrom('station', 'door'),
  firmware: fc.constantFrom('1.0', '1.0#3'),
  connected: fc.constantFrom('true', 'false'),
  text: fc.constantFrom('FRONT', 'älter', 'A\u0308L', 'a'),
};
/** Two at most: with more, hardly anything is found. */
const filters = fc
  .tuple(fc.record(values), fc.subarray(Object.keys(values) as (keyof typeof values)[], { maxLength: 2 }))
  .map(([all, names]): Partial<typeof all> => Object.fromEntries(names.map((name) => [name, all[name]])));
type Filters = Readonly<Record<'site' | 'prefix' | 'type' | 'firmware' | 'connected' | 'text', string | undefined>>;
const limits = fc.integer({ min: 1, max: 7 });

/** By definition. */
function isAsked(row: ThingRow, asked: Partial<Filters>): boolean {
  const { site, prefix = '', type, firmware, connected, text } = asked;
  const lower = (each: string): string => each.normalize().toLowerCase();
  return (
    (site === undefined || siteOf(row.pk) === site) &&
    row.pk.startsWith(prefix) &&
    (type === undefined || row.thingType === type) &&
    (firmware === undefined || row.firmwareVersion === firmware) &&
    (connected === undefined || String(row.presence?.connected) === connected) &&
    (text === undefined || [row.pk, row.label ?? ''].some((each) => lower(each).includes(lower(text))))
  );
}

/** All pages; between them `meanwhile` changes the world. */
async function pages(
  world: ThingsWorld,
  route: string,
  parts: { readonly person?: string; readonly groups?: string; readonly query: Partial<Filters> & { limit: string } },
  meanwhile: () => void = () => {},
): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const { status, body } = await world.call(route, {}, { ...parts, query: { ...parts.query, cursor } });
    expect([status, body]).toEqual([200, expect.anything()]);
    expect(body.things.length).toBeLessThanOrEqual(Number(parts.query.limit));
    expect(world.used.rows).toBeLessThanOrEqual(MAX_ROWS_EXAMINED);
    found.push(...body.things.map(({ thing }: { thing: string }) => thing));
    cursor = body.cursor;
    meanwhile();
  } while (cursor !== undefined);
  return found;
}

const coming = fc.array(fc.tuple(fc.boolean(), names), { maxLength: 30 });

it('a person sees each of their things that is there all the time once, in order, and nothing that is not theirs', async () => {
  await fc.assert(
    fc.asyncProperty(
      things,
      fc.uniqueArray(fc.constantFrom(...SITES)),
      fc.infiniteStream(fc.boolean()),
      filters,
      limits,
      coming,
      async (present, sites, chosen, asked, limit, changes) => {
        const world = new ThingsWorld();
        for (const [name, row] of present) world.thing(name, row);
        for (const name of sites) world.grant({ kind: 'site', name }, 'viewer');
        const single = present.map(([name]) => name).filter(() => chosen.next().value);
        for (const name of single) world.grant({ kind: 'thing', name });
        const fixed = new Set(world.rows.keys());
        const isMine = (name: string): boolean => single.includes(name) || sites.some((site) => siteOf(name) === site);
        const expected = [...world.rows.values()].filter((row) => isMine(row.pk) && isAsked(row, asked));
        const passing = changes.filter(([, name]) => !fixed.has(name))[Symbol.iterator]();

        const found = await pages(world, MINE, { query: { ...asked, limit: `${limit}` } }, () => {
          const { value } = passing.next();
          if (!value) return;
          const [comes, name] = value;
          if (comes) world.thing(name, { thingType: 'station' });
          else world.rows.delete(name);
        });

        expect(found).toEqual([...new Set(found)].sort());
        expect(found.filter((name) => fixed.has(name))).toEqual(expected.map(({ pk }) => pk).sort());
        expect(found.filter((name) => !isMine(name))).toEqual([]);
      },
    ),
    { numRuns: RUNS },
  );
});

it('an operator sees each thing that is there all the time once, in order, whatever index the filters choose', async () => {
  await fc.assert(
    fc.asyncProperty(
      things,
      filters,
      fc.option(fc.uniqueArray(fc.constantFrom(...SITES)), { nil: undefined }),
      limits,
      coming,
      async (present, asked, owned, limit, changes) => {
        const world = new ThingsWorld();
        for (const [name, row] of present) world.thing(name, row);
        for (const name of owned ?? []) world.grant({ kind: 'site', name });
        // What they may only see is not theirs.
        world.grant({ kind: 'site', name: 'barn' }, owned?.includes('barn') ? 'owner' : 'controller');
        const fixed = new Set(world.rows.keys());
        const isOwned = (name: string): boolean => owned?.some((site) => siteOf(name) === site) ?? true;
        const expected = [...world.rows.values()].filter((row) => isOwned(row.pk) && isAsked(row, asked));
        const passing = changes.filter(([, name]) => !fixed.has(name))[Symbol.iterator]();
        const owner = owned && { owner: PERSON };

        const query = { ...asked, ...owner, limit: `${limit}` };
        const found = await pages(world, FLEET, { ...OPERATOR, query }, () => {
          const { value } = passing.next();
          if (value?.[0]) world.thing(value[1], { thingType: 'door' });
          else if (value) world.rows.delete(value[1]);
        });

        expect(found).toEqual([...new Set(found)].sort());
        expect(found.filter((name) => fixed.has(name))).toEqual(expected.map(({ pk }) => pk).sort());
      },
    ),
    { numRuns: RUNS },
  );
});

describe('a page', () => {
  it('examines at most so many rows, and carries a cursor also when it is empty', async () => {
    const world = new ThingsWorld();
    for (let number = 10_000; number < 12_500; number += 1) world.thing(`farm-${number}`, { thingType: 'station' });
    world.thing('farm-99999', { thingType: 'door' });
    world.grant({ kind: 'site', name: 'farm' });

    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await world.call(MINE, {}, { query: { type: 'door', cursor } });
      sizes.push(body.things.length);
      expect(world.used.rows).toBeLessThanOrEqual(MAX_ROWS_EXAMINED);
      cursor = body.cursor;
    } while (cursor !== undefined);

    expect(sizes).toEqual([0, 0, 1]);
  });

  it.each([10, 1_000, 10_000])('of 10 things costs the same for a person with %i', async (count) => {
    const world = new ThingsWorld();
    for (let number = 0; number < count; number += 1) world.thing(`farm-${100_000 + number}`);
    world.grant({ kind: 'site', name: 'farm' });

    const { body } = await world.call(MINE, {}, { query: { limit: '10' } });

    expect(body.things).toHaveLength(10);
    expect(world.used).toEqual({ rows: 10, names: Math.min(count, 11), queries: 1 });
  });

  it('asks a bounded number of sites, though all of them are empty', async () => {
    const world = new ThingsWorld();
    for (let site = 100; site < 999; site += 1) world.grant({ kind: 'site', name: `site${site}` });
    world.thing('site998-last');

    const found = await pages(world, MINE, { query: { limit: '50' } });
    await world.call(MINE, {});

    expect(found).toEqual(['site998-last']);
    expect(world.used.queries).toBeLessThan(60);
  });

  it('has a thing of which nothing is known yet, if somebody has it; what only a list has is gone', async () => {
    const world = new ThingsWorld();
    world.grant({ kind: 'thing', name: 'farm-new' }, 'controller');
    world.grant({ kind: 'site', name: 'farm' }, 'viewer');

    const { body } = await world.call(MINE, {});

    expect(body).toEqual({
      things: [{ thing: 'farm-new', site: 'farm', role: 'controller', sensors: [], capabilities: [] }],
    });
  });
});

it('grants that have ended list nothing; of two for one thing the greater role counts', async () => {
  const world = new ThingsWorld();
  for (const name of ['farm-1', 'door', 'bell']) world.thing(name);
  world.grant({ kind: 'site', name: 'farm' }, 'viewer');
  world.grant({ kind: 'thing', name: 'farm-1' }, 'controller');
  world.grant({ kind: 'thing', name: 'door' }, 'owner', { endsAt: NOW });
  world.grant({ kind: 'thing', name: 'bell' }, 'owner', { endsAt: NOW + 1 });

  const listed = async (query: Record<string, string>): Promise<unknown> =>
    (await world.call(MINE, {}, { query })).body.things.map(({ thing, role }: Record<string, string>) => [thing, role]);

  expect(await listed({})).toEqual([
    ['bell', 'owner'],
    ['farm-1', 'controller'],
  ]);
  expect(await listed({ role: 'controller' })).toEqual([['farm-1', 'controller']]);
  expect(await listed({ role: 'viewer' })).toEqual([]);
});

describe('a cursor', () => {
  let world: ThingsWorld;
  let cursor: string;

  beforeEach(async () => {
    world = new ThingsWorld();
    for (const name of ['a', 'b', 'c']) {
      world.thing(name, { thingType: 'door' });
      world.grant({ kind: 'thing', name });
      world.grant({ kind: 'thing', name }, 'viewer', { person: 'eve' });
    }
    ({ cursor } = (await world.call(MINE, {}, { query: { limit: '1', type: 'door' } })).body);
  });

  it.each([
    ['of another person', { person: 'eve', query: { type: 'door' } }],
    ['of other filters', { query: { type: 'station' } }],
    ['of a list without filters', { query: {} }],
    ['that is made up', { query: { type: 'door', cursor: Buffer.from('{"of":"","at":"a"}').toString('base64url') } }],
    ['that is no JSON', { query: { type: 'door', cursor: 'abc' } }],
    ['that has a character too many', { query: { type: 'door', cursor: 'a.b' } }],
  ])('%s is refused', async (_, parts) => {
    const { status, body } = await world.call(MINE, {}, { ...parts, query: { cursor, ...parts.query } });

    expect([status, body.detail]).toEqual([400, expect.stringContaining('query.cursor')]);
  });

  it('goes on, with another limit too', async () => {
    const { body } = await world.call(MINE, {}, { query: { cursor, type: 'door', limit: '5' } });

    expect(body.things.map(({ thing }: { thing: string }) => thing)).toEqual(['b', 'c']);
    expect(body.cursor).toBeUndefined();
  });

  it('of the fleet is none of mine', async () => {
    const { body } = await world.call(FLEET, {}, { ...OPERATOR, query: { limit: '1' } });

    expect((await world.call(MINE, {}, { person: 'otto', query: { cursor: body.cursor } })).status).toBe(400);
  });
});
