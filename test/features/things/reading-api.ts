/** What features of lists ask. */
import type { MeterReport } from '../../../local/src/meter/report.ts';
import type { Person } from '../../support/person.ts';
import type { Platform } from '../../support/platform.ts';

export interface PageOfNames {
  readonly names: readonly string[];
  readonly cursor: string | undefined;
}

/** One page of a list. `path` may have a query. Fails unless the answer is 200. */
export async function page(person: Person, path: string, cursor?: string): Promise<PageOfNames> {
  const join = path.includes('?') ? '&' : '?';
  const { status, body } = await person.call('GET', cursor === undefined ? path : `${path}${join}cursor=${cursor}`);
  expect({ status, body }).toMatchObject({ status: 200 });
  return { names: body.things.map(({ thing }: { readonly thing: string }) => thing), cursor: body.cursor };
}

/** Every page to the end. */
export async function pages(person: Person, path: string): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  let cursor: string | undefined;
  do {
    const next: PageOfNames = await page(person, path, cursor);
    found.push(next.names);
    cursor = next.cursor;
  } while (cursor !== undefined);
  return found;
}

/** Read units that a table and its indexes have cost while this was done. */
export async function readUnits({ config }: Platform, table: string, work: () => Promise<unknown>): Promise<number> {
  const used = async (): Promise<number> => {
    const report = (await (await fetch(`${config.endpoint}/_local/meter`)).json()) as MeterReport;
    const lines = report.services.filter(({ item, resource }) => item === 'on-demand reads' && resource === table);
    return lines.reduce((sum, { quantity }) => sum + quantity, 0);
  };
  const before = await used();
  await work();
  return (await used()) - before;
}
