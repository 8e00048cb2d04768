import { randomUUID } from 'node:crypto';
import { type Client, pages } from '@thingstead/client';
import { jsonValue, positiveInteger, thingName } from '../arguments.ts';
import { asOption } from '../as-option.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand } from '../context.ts';
import { formatTime } from '../output.ts';
import { pause } from '../pause.ts';
import type { Column } from '../table.ts';

type Given = Awaited<ReturnType<Client['getCommand']>>;

const ENDED = new Set<Given['state']>(['EXECUTED', 'REJECTED', 'FAILED', 'EXPIRED']);
const LOOK_MS = 1000;

interface GiveOptions {
  readonly as: string;
  readonly payload?: unknown;
  readonly ttl?: number;
  readonly key?: string;
  readonly wait?: boolean;
}

/** `command give` */
export const addCommandGive: AddCommand = (command, bind) => {
  command
    .command('give')
    .summary(
      'has a device do something once: now, or when it connects in time. For state that holds there is "state set"',
    )
    .argument('<name>', 'thing name', thingName)
    .argument('<command>', 'as the device’s configuration names it')
    .addOption(asOption())
    .option('--payload <json>', 'what the command is given', jsonValue)
    .option('--ttl <seconds>', 'after so many it is void; 300', positiveInteger)
    .option('--key <key>', 'the same key is the same command, for a day: for a script that tries again')
    .option('--wait', 'until it has ended')
    .action(
      bind(async ({ api, output, signal }, thing: string, name: string, options: GiveOptions) => {
        const { as: email, payload, ttl, key = randomUUID(), wait = false } = options;
        const given = await api(email).giveCommand({
          params: { thing },
          headers: { 'idempotency-key': key },
          body: { name, ...(payload !== undefined && { payload }), ...(ttl !== undefined && { ttlSeconds: ttl }) },
        });
        const last = wait ? await untilEnded(api(email), given, signal) : given;
        output.result(last, text(last));
        if (!wait) output.next(`thingstead command show ${thing} ${given.id} --as ${email}`);
        else failUnlessDone(last);
      }),
    );
};

/** Also ends when the person has waited enough. */
async function untilEnded({ getCommand }: Client, given: Given, signal: AbortSignal): Promise<Given> {
  let last = given;
  while (!ENDED.has(last.state) && !signal.aborted) {
    await pause(LOOK_MS, signal);
    last = await getCommand({ params: { thing: given.thing, command: given.id } });
  }
  return last;
}

function failUnlessDone({ state, reason, thing }: Given): void {
  if (state === 'EXPIRED') throw new CommandError('offline', `${thing} did not do it in time.`);
  if (state === 'REJECTED' || state === 'FAILED') {
    throw new CommandError('failed', `${thing} ${state === 'FAILED' ? 'has failed' : 'did not begin'}.`, {
      causes: reason === undefined ? [] : [reason],
    });
  }
}

/** `command show` */
export const addCommandShow: AddCommand = (command, bind) => {
  command
    .command('show')
    .summary('what became of a command')
    .argument('<name>', 'thing name', thingName)
    .argument('<id>', 'of the command')
    .addOption(asOption())
    .action(
      bind(async ({ api, output }, thing: string, id: string, { as: email }: { readonly as: string }) => {
        const found = await api(email).getCommand({ params: { thing, command: id } });
        output.result(found, text(found));
      }),
    );
};

const columns: readonly Column<Given>[] = [
  { title: 'GIVEN', value: (row) => formatTime(row.givenAt), fixed: true },
  { title: 'COMMAND', value: (row) => row.name },
  { title: 'STATE', value: (row) => row.state, fixed: true },
  { title: 'ID', value: (row) => row.id, fixed: true },
  { title: 'REASON', value: (row) => row.reason ?? '' },
];

/** `command list` */
export const addCommandList: AddCommand = (command, bind) => {
  command
    .command('list')
    .summary('commands of a thing, newest first')
    .argument('<name>', 'thing name', thingName)
    .addOption(asOption())
    .option('--limit <count>', 'as many at most; 20', positiveInteger)
    .action(
      bind(
        async (
          { api, output, signal },
          thing: string,
          { as: email, limit = 20 }: { readonly as: string; readonly limit?: number },
        ) => {
          const found: Given[] = [];
          const request = { params: { thing }, query: { limit: Math.min(limit, 100) } };
          for await (const { commands } of pages(api(email).listCommands, request, { signal })) {
            found.push(...commands);
            if (found.length >= limit) break;
          }
          output.table(columns, found.slice(0, limit), 'It was given none.');
        },
      ),
    );
};

function text({ id, name, state, reason, result, expiresAt }: Given): string {
  return [
    `${name}  ${state}  ${id}`,
    ...(ENDED.has(state) ? [] : [`void after ${formatTime(expiresAt)}`]),
    ...(reason === undefined ? [] : [`reason: ${reason}`]),
    ...(result === undefined ? [] : [`result: ${JSON.stringify(result)}`]),
  ].join('\n');
}
