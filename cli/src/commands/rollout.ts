import { randomBytes } from 'node:crypto';
import { type Client, pages } from '@thingstead/client';
import { ROLLOUT_DEVICE_STATES, type RolloutDeviceState } from '@thingstead/contracts/rollouts';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { Option } from 'commander';
import { positiveInteger } from '../arguments.ts';
import { asOption } from '../as-option.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand, Context } from '../context.ts';
import { formatTime } from '../output.ts';
import { dryRun, type Planned } from '../rollouts/dry-run.ts';
import { addRolloutOptions, newRollout, type RolloutOptions } from '../rollouts/new-rollout.ts';
import { createDisplay, lineOf, watchRollout } from '../rollouts/watch.ts';
import type { Column } from '../table.ts';

type Rollout = Awaited<ReturnType<Client['getRollout']>>;
type Summary = Awaited<ReturnType<Client['listRollouts']>>['rollouts'][number];
type Device = Awaited<ReturnType<Client['listRolloutDevices']>>['devices'][number];

interface As {
  readonly as: string;
}

/** `rollout create` */
export const addRolloutCreate: AddCommand = (command, bind) => {
  const create = command
    .command('create')
    .summary('brings a release to devices, wave by wave')
    .argument('<product>')
    .argument('<counter>', 'of the release', positiveInteger)
    .addOption(asOption());
  addRolloutOptions(create)
    .option('--watch', 'until it has ended')
    .action(
      bind(
        async (
          context,
          product: string,
          counter: number,
          { as: email, watch: watches, ...options }: As & RolloutOptions & { readonly watch?: boolean },
        ) => {
          const { api, output } = context;
          // With it the request may be sent again.
          const id = ulidOf(Date.now(), randomBytes(ULID_RANDOM_BYTES));
          const body = { ...newRollout(product, counter, options), id };
          const { version } = await api(email).createRollout({ body });
          if (watches) return watch(context, email, id);
          output.result({ id, product, counter, version }, id);
          output.next(`thingstead rollout watch ${id} --as ${email}`);
        },
      ),
    );
};

const planned: readonly Column<Planned>[] = [
  { title: 'WAVE', value: ({ wave }) => (wave === undefined ? '' : String(wave)), fixed: true },
  { title: 'THING', value: ({ thing }) => thing },
  { title: 'PASSED OVER', value: ({ skip }) => skip ?? '' },
];

/** `rollout dry-run` */
export const addRolloutDryRun: AddCommand = (command, bind) => {
  const run = command
    .command('dry-run')
    .summary('who would get a release, in which wave, and who would be passed over; nothing is done')
    .argument('<product>')
    .argument('<counter>', 'of the release', positiveInteger)
    .addOption(asOption());
  addRolloutOptions(run).action(
    bind(
      async (
        { api, output, signal },
        product: string,
        counter: number,
        { as: email, ...options }: As & RolloutOptions,
      ) => {
        const found = await dryRun(api(email), newRollout(product, counter, options), signal);
        output.table(planned, found, 'Nobody would get it.');
        const getting = found.filter(({ skip }) => skip === undefined).length;
        output.say(`${getting} would get it, ${found.length - getting} would be passed over.`);
      },
    ),
  );
};

const columns: readonly Column<Summary>[] = [
  { title: 'CREATED', value: ({ createdAt }) => formatTime(createdAt), fixed: true },
  { title: 'ID', value: ({ id }) => id, fixed: true },
  { title: 'PRODUCT', value: ({ product }) => product },
  { title: 'VERSION', value: ({ version }) => version },
  { title: 'STATE', value: ({ state }) => state, fixed: true },
  { title: 'REASON', value: ({ reason }) => reason ?? '' },
];

/** `rollout list` */
export const addRolloutList: AddCommand = (command, bind) => {
  command
    .command('list')
    .summary('rollouts, newest first')
    .addOption(asOption())
    .option('--limit <count>', 'as many at most; 20', positiveInteger)
    .action(
      bind(async ({ api, output, signal }, { as: email, limit = 20 }: As & { readonly limit?: number }) => {
        const found: Summary[] = [];
        const request = { query: { limit: Math.min(limit, 100) } };
        for await (const { rollouts } of pages(api(email).listRollouts, request, { signal })) {
          found.push(...rollouts);
          if (found.length >= limit) break;
        }
        output.table(columns, found.slice(0, limit), 'There is none.');
      }),
    );
};

/** `rollout show` */
export const addRolloutShow: AddCommand = (command, bind) => {
  command
    .command('show')
    .summary('how far a rollout is, and every decision about it')
    .argument('<id>', 'of the rollout')
    .addOption(asOption())
    .action(
      bind(async ({ api, output }, id: string, { as: email }: As) => {
        const params = { rollout: id };
        const [rollout, { events }] = await Promise.all([
          api(email).getRollout({ params }),
          api(email).getRolloutReport({ params }),
        ]);
        const decisions = events.map(({ at, text, by }) => `${formatTime(at)}  ${text}${by ? ` (${by})` : ''}`);
        output.result({ ...rollout, events }, [lineOf(rollout), ...decisions].join('\n'));
      }),
    );
};

const devices: readonly Column<Device>[] = [
  { title: 'THING', value: ({ thing }) => thing },
  { title: 'WAVE', value: ({ wave }) => (wave === undefined ? '' : String(wave + 1)), fixed: true },
  { title: 'STATE', value: ({ state }) => state, fixed: true },
  { title: 'SAID', value: ({ said }) => said ?? '', fixed: true },
  { title: 'SINCE', value: ({ changedAt }) => formatTime(changedAt), fixed: true },
  { title: 'REASON', value: ({ failure, reason }) => [failure, reason].filter(Boolean).join(': ') },
];

/** `rollout devices` */
export const addRolloutDevices: AddCommand = (command, bind) => {
  command
    .command('devices')
    .summary('devices of a rollout, and what became of each')
    .argument('<id>', 'of the rollout')
    .addOption(asOption())
    .addOption(new Option('--state <state>', 'only those').choices(ROLLOUT_DEVICE_STATES))
    .option('--limit <count>', 'as many at most; 100', positiveInteger)
    .action(
      bind(
        async (
          { api, output, signal },
          id: string,
          { as: email, state, limit = 100 }: As & { readonly state?: RolloutDeviceState; readonly limit?: number },
        ) => {
          const found: Device[] = [];
          const request = { params: { rollout: id }, query: { limit: 1000, ...(state && { state }) } };
          for await (const page of pages(api(email).listRolloutDevices, request, { signal })) {
            found.push(...page.devices);
            if (found.length >= limit) break;
          }
          output.table(devices, found.slice(0, limit), 'There is none.');
        },
      ),
    );
};

/** `rollout watch` */
export const addRolloutWatch: AddCommand = (command, bind) => {
  command
    .command('watch')
    .summary('follows a rollout until it has ended, or waits for somebody to decide')
    .argument('<id>', 'of the rollout')
    .addOption(asOption())
    .action(bind((context, id: string, { as: email }: As) => watch(context, email, id)));
};

async function watch({ api, output, signal }: Context, email: string, id: string): Promise<void> {
  const display = createDisplay(process.stderr, (text) => output.say(text));
  let last: Rollout;
  try {
    last = await watchRollout(api(email), id, output.json ? () => {} : (rollout) => display.show(rollout), signal);
  } finally {
    display.stop();
  }
  output.result(last, [lineOf(last), ...(last.reason === undefined ? [] : [last.reason])].join('\n'));
  if (last.state === 'ABORTED') throw new CommandError('failed', `The rollout was aborted: ${last.reason}.`);
  if (last.state === 'PAUSED') output.next(`thingstead rollout resume ${id} --as ${email}`);
}

interface Operation {
  readonly name: string;
  readonly summary: string;
  readonly call: 'pauseRollout' | 'resumeRollout' | 'abortRollout' | 'retryRollout';
}

function operation({ name, summary, call }: Operation): AddCommand {
  return (command, bind) => {
    command
      .command(name)
      .summary(summary)
      .argument('<id>', 'of the rollout')
      .addOption(asOption())
      .action(
        bind(async ({ api, output }, id: string, { as: email }: As) => {
          const rollout = await api(email)[call]({ params: { rollout: id } });
          output.result(rollout, `${id} is ${rollout.state}`);
          output.next(`thingstead rollout watch ${id} --as ${email}`);
        }),
      );
  };
}

/** `rollout pause` */
export const addRolloutPause = operation({
  ...{ name: 'pause', call: 'pauseRollout' },
  summary: 'starts no more devices; what has begun goes on',
});
/** `rollout resume` */
export const addRolloutResume = operation({
  ...{ name: 'resume', call: 'resumeRollout' },
  summary: 'goes on; one that a wave has paused, with the next wave',
});
/** `rollout abort` */
export const addRolloutAbort = operation({
  ...{ name: 'abort', call: 'abortRollout' },
  summary: 'ends it for good; who can still stop is told to',
});
/** `rollout retry` */
export const addRolloutRetry = operation({
  ...{ name: 'retry', call: 'retryRollout' },
  summary: 'gives devices that have failed another attempt',
});
