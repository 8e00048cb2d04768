import { type Client, pages } from '@thingstead/client';
import { positiveInteger, thingName } from '../arguments.ts';
import { asOption } from '../as-option.ts';
import type { AddCommand } from '../context.ts';
import { formatTime } from '../output.ts';
import type { Column } from '../table.ts';

type Thing = Awaited<ReturnType<Client['listThings']>>['things'][number];
type ShownThing = Awaited<ReturnType<Client['getThing']>>;

interface Options {
  readonly as: string;
  readonly site?: string;
  readonly type?: string;
  readonly prefix?: string;
  readonly text?: string;
  readonly connected?: boolean;
  readonly offline?: boolean;
  readonly limit?: number;
}

const columns: readonly Column<Thing>[] = [
  { title: 'THING', value: (row) => row.thing },
  { title: 'LABEL', value: (row) => row.label ?? '' },
  { title: 'ROLE', value: (row) => row.role ?? '', fixed: true },
  { title: 'CONNECTED', value: (row) => connection(row), fixed: true },
  { title: 'MODEL', value: (row) => row.model ?? '' },
  { title: 'FIRMWARE', value: (row) => row.firmwareVersion ?? '' },
];

/** `things` */
export const addThings: AddCommand = (program, bind) => {
  program
    .command('things')
    .summary('things of a person and those that are shared with them, or one of them with its latest readings')
    .argument('[name]', 'only this one', thingName)
    .addOption(asOption())
    .option('--site <site>', 'only of this site')
    .option('--type <type>', 'only of this thing type')
    .option('--prefix <text>', 'only names that begin so')
    .option('--text <text>', 'only with this text in name or label')
    .option('--connected', 'only those that are connected')
    .option('--offline', 'only those that are not')
    .option('--limit <count>', 'as many at most', positiveInteger)
    .action(
      bind(async ({ api, output, signal }, name: string | undefined, { as: email, ...filters }: Options) => {
        if (name !== undefined) {
          const found = await api(email).getThing({ params: { thing: name } }, { signal });
          output.result(found, text(found));
          return;
        }
        output.table(columns, await list(api(email), filters, signal), 'There are none.');
      }),
    );
};

async function list(
  { listThings }: Client,
  { connected, offline, limit = Number.POSITIVE_INFINITY, ...filters }: Omit<Options, 'as'>,
  signal: AbortSignal,
): Promise<readonly Thing[]> {
  const isConnected = connected ? { connected: true } : offline ? { connected: false } : {};
  const query = { ...filters, ...isConnected, limit: Math.min(limit, 100) };
  const found: Thing[] = [];
  for await (const { things } of pages(listThings, { query }, { signal })) {
    found.push(...things);
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

function connection({ connected, since }: Thing): string {
  if (connected === undefined) return 'never';
  return `${connected ? 'yes' : 'no'}${since === undefined ? '' : ` since ${formatTime(since)}`}`;
}

function text(thing: ShownThing): string {
  const line = (title: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [`${title.padEnd(11)}${value}`];
  return [
    ...line('thing', thing.thing),
    ...line('label', thing.label),
    ...line('role', thing.role),
    ...line('connected', connection(thing)),
    ...line('type', thing.thingType),
    ...line('model', thing.model),
    ...line('firmware', thing.firmwareVersion),
    ...Object.entries(thing.latest).flatMap(([sensor, { value, unit = '', time }]) =>
      line('reading', `${sensor} = ${value} ${unit}`.trimEnd().concat(`  at ${formatTime(time)}`)),
    ),
  ].join('\n');
}
