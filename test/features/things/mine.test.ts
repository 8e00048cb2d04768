/** A person lists the things that are theirs, and those that are shared with them. */
import { newPerson, type Person } from '../../support/person.ts';
import { type Platform, startPlatform } from '../../support/platform.ts';
import { unique } from '../../support/unique-name.ts';
import { storedThings } from './stored-things.ts';

let platform: Platform;
let stored: ReturnType<typeof storedThings>;

beforeAll(async () => {
  platform = await startPlatform();
  stored = storedThings(platform);
});
afterAll(() => platform.stop());

/** A name of a site or thing without a hyphen, which no other test uses. */
function named(name: string): string {
  return unique(name).replaceAll('-', '_');
}

/** Every page to the end, by name. */
async function pages(person: Person, query: string): Promise<string[][]> {
  const found: string[][] = [];
  let cursor = '';
  do {
    const { status, body } = await person.call('GET', `/things?${query}${cursor && `&cursor=${cursor}`}`);
    expect({ status, body }).toMatchObject({ status: 200 });
    found.push(body.things.map(({ thing }: { thing: string }) => thing));
    cursor = body.cursor ?? '';
  } while (cursor !== '' && found.length < 100);
  return found;
}

describe('a person with single things and a site', () => {
  const site = named('farm');
  const [door, bell] = [named('door'), named('bell')];
  let person: Person;

  beforeAll(async () => {
    person = await newPerson(platform);
    const inSite = ['a1', 'a2', 'b1', 'c-1'].map((name) => `${site}-${name}`);
    await stored.things([
      ...inSite.map((name) => ({ name })),
      { name: door, label: 'Front door', labelledFor: Date.UTC(2026, 10, 1), type: 'door' },
      { name: bell, connected: false },
      // Its site's name begins with that of the other site.
      { name: `${site}_x-1` },
      { name: named('else') },
    ]);
    await stored.grant(person.person, { kind: 'site', name: site }, 'viewer');
    await stored.grant(person.person, { kind: 'thing', name: door });
    await stored.grant(person.person, { kind: 'thing', name: bell }, 'controller');
  });

  it('lists all of them by name', async () => {
    const all = [door, bell, ...['a1', 'a2', 'b1', 'c-1'].map((name) => `${site}-${name}`)].sort();
    expect((await pages(person, '')).flat()).toEqual(all);
    expect(await pages(person, 'limit=2')).toEqual([all.slice(0, 2), all.slice(2, 4), all.slice(4)]);
    expect((await pages(person, 'limit=1')).flat()).toEqual(all);
  });
});
