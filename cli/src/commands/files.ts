import { type Client, pages } from '@thingstead/client';
import { TRANSFER_STATES, type TransferState } from '@thingstead/contracts/file-store';
import { FILE_DIRECTIONS, type FileDirection } from '@thingstead/contracts/files';
import { Option } from 'commander';
import { positiveInteger, thingName } from '../arguments.ts';
import { asOption } from '../as-option.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand, Context } from '../context.ts';
import { formatBytes } from '../files/format-bytes.ts';
import { getFile } from '../files/get-file.ts';
import { createProgress, type Progress } from '../files/progress.ts';
import { sendFile } from '../files/send-file.ts';
import { formatTime } from '../output.ts';
import { pause } from '../pause.ts';
import type { Column } from '../table.ts';

type Transfer = Awaited<ReturnType<Client['getFile']>>;

const ENDED: ReadonlySet<TransferState> = new Set([
  'DELIVERED',
  'REJECTED',
  'FAILED',
  'CANCELLED',
  'REMOVED',
  'EXPIRED',
]);
const LOOK_MS = 1000;

/** What is measured is told by --json at the end alone. */
function progressOf({ output }: Context): Progress {
  return output.json ? { at() {}, stop() {} } : createProgress(process.stderr, (text) => output.say(text));
}

interface PutOptions {
  readonly as: string;
  readonly name?: string;
  readonly type?: string;
  readonly wait?: boolean;
}

/** `files put` */
export const addFilesPut: AddCommand = (command, bind) => {
  command
    .command('put')
    .summary('encrypts a file and sends it to a device; called again after it was cut off, goes on')
    .argument('<name>', 'thing name', thingName)
    .argument('<file>')
    .addOption(asOption())
    .option('--name <name>', 'what the device is told that it is called; as it is called here')
    .option('--type <type>', 'content type; application/octet-stream')
    .option('--wait', 'until the device has it')
    .action(
      bind(async (context, thing: string, file: string, { as: email, name, type, wait }: PutOptions) => {
        const { api, output, signal, deployment } = context;
        const progress = progressOf(context);
        const options = { ...(name !== undefined && { name }), ...(type !== undefined && { contentType: type }) };
        try {
          const client = api(email);
          const sent = await sendFile({
            ...{ api: client, deployment: deployment().apiUrl, thing, file, progress, signal },
            ...options,
          });
          const last = wait ? await follow(client, sent, progress, signal) : sent;
          progress.stop();
          output.result(last, text(last));
          if (!wait) output.next(`thingstead files watch ${thing} ${last.id} --as ${email}`);
          else failUnlessThere(last);
        } finally {
          progress.stop();
        }
      }),
    );
};

interface GetOptions {
  readonly as: string;
  readonly out?: string;
  readonly keepEncrypted?: string;
}

/** `files get` */
export const addFilesGet: AddCommand = (command, bind) => {
  command
    .command('get')
    .summary('fetches a file and decrypts it here, for the owner; called again after it was cut off, goes on')
    .argument('<name>', 'thing name', thingName)
    .argument('<id>', 'of the file, see "files ls"')
    .addOption(asOption())
    .option('--out <file>', 'where to; in this folder, as its sender calls it')
    .option(
      '--keep-encrypted <file>',
      'leaves what is encrypted too: any AWS Encryption SDK decrypts it with the KMS key',
    )
    .action(
      bind(async (context, thing: string, transfer: string, { as: email, ...files }: GetOptions) => {
        const { api, output, signal, deployment } = context;
        const progress = progressOf(context);
        try {
          const options = { api: api(email), deployment: deployment().apiUrl, thing, transfer, progress, signal };
          const got = await getFile({ ...options, ...files });
          progress.stop();
          output.result({ ...got.transfer, file: got.file }, `${got.file}  ${formatBytes(got.transfer.size)}`);
        } finally {
          progress.stop();
        }
      }),
    );
};

const columns: readonly Column<Transfer>[] = [
  { title: 'STARTED', value: (row) => formatTime(row.startedAt), fixed: true },
  { title: 'DIRECTION', value: (row) => row.direction, fixed: true },
  { title: 'NAME', value: (row) => row.name },
  { title: 'SIZE', value: (row) => formatBytes(row.size), fixed: true },
  { title: 'STATE', value: (row) => row.state, fixed: true },
  { title: 'ID', value: (row) => row.id, fixed: true },
];

interface ListOptions {
  readonly as: string;
  readonly limit?: number;
  readonly direction?: FileDirection;
  readonly state?: TransferState;
}

/** `files ls` */
export const addFilesList: AddCommand = (command, bind) => {
  command
    .command('ls')
    .summary('files to and from a thing, newest first')
    .argument('<name>', 'thing name', thingName)
    .addOption(asOption())
    .addOption(new Option('--direction <direction>').choices(FILE_DIRECTIONS))
    .addOption(new Option('--state <state>').choices(TRANSFER_STATES))
    .option('--limit <count>', 'as many at most; 20', positiveInteger)
    .action(
      bind(async ({ api, output, signal }, thing: string, { as: email, limit = 20, ...only }: ListOptions) => {
        const found: Transfer[] = [];
        const request = { params: { thing }, query: { ...only, limit: Math.min(limit, 100) } };
        for await (const { files } of pages(api(email).listFiles, request, { signal })) {
          found.push(...files);
          if (found.length >= limit) break;
        }
        output.table(columns, found.slice(0, limit), 'It has no files.');
      }),
    );
};

/** `files rm` */
export const addFilesRemove: AddCommand = (command, bind) => {
  command
    .command('rm')
    .summary('cancels a file that is on its way, or removes one that is stored')
    .argument('<name>', 'thing name', thingName)
    .argument('<id>', 'of the file, see "files ls"')
    .addOption(asOption())
    .action(
      bind(async ({ api, output }, thing: string, transfer: string, { as: email }: { readonly as: string }) => {
        await api(email).removeFile({ params: { thing, transfer } });
        const found = await api(email).getFile({ params: { thing, transfer } });
        output.result(found, text(found));
      }),
    );
};

/** `files watch` */
export const addFilesWatch: AddCommand = (command, bind) => {
  command
    .command('watch')
    .summary('follows a file until it is there')
    .argument('<name>', 'thing name', thingName)
    .argument('<id>', 'of the file, see "files ls"')
    .addOption(asOption())
    .action(
      bind(async (context, thing: string, transfer: string, { as: email }: { readonly as: string }) => {
        const progress = progressOf(context);
        try {
          const client = context.api(email);
          const found = await client.getFile({ params: { thing, transfer } });
          const last = await follow(client, found, progress, context.signal);
          progress.stop();
          context.output.result(last, text(last));
          failUnlessThere(last);
        } finally {
          progress.stop();
        }
      }),
    );
};

/** Until it is where it goes, or will not come there, or the person has waited enough. */
async function follow(
  { getFile: get }: Client,
  from: Transfer,
  progress: Progress,
  signal: AbortSignal,
): Promise<Transfer> {
  let last = from;
  const isThere = (): boolean => ENDED.has(last.state) || (last.direction === 'from-device' && last.state === 'STORED');
  while (!isThere() && !signal.aborted) {
    progress.at(
      last.state.toLowerCase(),
      last.state === 'STORED' ? 0 : (last.transferred ?? 0),
      last.bytes ?? last.size,
    );
    await pause(LOOK_MS, signal);
    last = await get({ params: { thing: last.thing, transfer: last.id } });
  }
  return last;
}

function failUnlessThere({ state, reason, thing }: Transfer): void {
  const causes = reason === undefined ? [] : [reason];
  if (state === 'EXPIRED') throw new CommandError('offline', `${thing} did not take it in time.`, { causes });
  if (state === 'REJECTED') throw new CommandError('failed', `${thing} did not take it.`, { causes });
  if (state === 'FAILED') throw new CommandError('failed', 'The transfer has failed.', { causes });
  if (state === 'CANCELLED' || state === 'REMOVED')
    throw new CommandError('conflict', `It was ${state.toLowerCase()}.`, { causes });
}

function text({ id, name, state, size, reason }: Transfer): string {
  return [
    `${name}  ${formatBytes(size)}  ${state}  ${id}`,
    ...(reason === undefined ? [] : [`reason: ${reason}`]),
  ].join('\n');
}
