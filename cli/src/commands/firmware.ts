import { type Client, pages } from '@thingstead/client';
import { FirmwareManifest, type SignedDocument } from '@thingstead/contracts/firmware';
import { validate } from '@thingstead/contracts/validate';
import { documentBytes } from '@thingstead/crypto/strict-json';
import { positiveInteger } from '../arguments.ts';
import { asOption } from '../as-option.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand, Context } from '../context.ts';
import { measure, upload } from '../firmware/image.ts';
import { readReleaseFile, writeSignedFile } from '../firmware/signed-file.ts';
import { type SignerOptions, signedWith } from '../firmware/signers.ts';
import { formatTime } from '../output.ts';
import type { Column } from '../table.ts';
import { addSignerOptions, several, signersOf } from './firmware-key.ts';

type Release = Awaited<ReturnType<Client['getRelease']>>;

interface As {
  readonly as: string;
}

interface PublishOptions extends As, SignerOptions {
  readonly product?: string;
  readonly hardware?: readonly string[];
  readonly version?: string;
  readonly counter?: number;
  readonly minimumCounter?: number;
  readonly expires: number;
  readonly signOnly?: string;
  readonly signed?: string;
}

/** `firmware publish` */
export const addFirmwarePublish: AddCommand = (command, bind) => {
  addSignerOptions(
    command
      .command('publish')
      .summary(
        'signs an image and releases it; no device gets it before a rollout brings it. Again, it goes on where it was',
      )
      .argument('<image>')
      .addOption(asOption()),
  )
    .option('--product <type>', 'the thing type whose things run it')
    .option('--hardware <revision>', 'as devices call theirs; any number of times', several)
    .option('--version <version>', 'as devices will say what they run')
    .option('--counter <number>', 'rises with every release; the next one unless it is given', positiveInteger)
    .option('--minimum-counter <number>', 'devices with a lower one take a release in between', positiveInteger)
    .option('--expires <days>', 'devices begin it no later; 365', positiveInteger, 365)
    .option('--sign-only <file>', 'writes what is signed into a file, for others to sign, and releases nothing')
    .option('--signed <file>', 'releases what is signed in this file')
    .action(
      bind(async (context, image: string, options: PublishOptions) => {
        const { api, output, signal } = context;
        const measured = await measure(image);
        const release = await releaseOf(measured, options, context);
        if (options.signOnly !== undefined) {
          writeSignedFile(options.signOnly, release);
          output.result({ file: options.signOnly }, options.signOnly);
          output.next(`thingstead firmware sign ${options.signOnly}`);
          return;
        }
        const client = api(options.as);
        const begun = await client.publishRelease({ body: { release } });
        if (begun.upload) {
          output.say(`${measured.size} bytes go to the bucket.`);
          await upload(image, begun.upload, signal);
        }
        const { product, counter } = begun.release;
        const done = await client.completeRelease({ params: { product, counter: String(counter) } });
        output.result(done, text(done));
        output.next(`thingstead rollout create ${product} ${counter} --as ${options.as}`);
      }),
    );
};

/** What is in the file, or made of the options. */
async function releaseOf(
  measured: Pick<FirmwareManifest, 'size' | 'sha256'>,
  options: PublishOptions,
  context: Context,
): Promise<SignedDocument> {
  if (options.signed !== undefined) {
    const { signed, content } = readReleaseFile(options.signed);
    if (content.sha256 === measured.sha256 && content.size === measured.size) return signed;
    throw new CommandError('usage', `${options.signed} was signed for another image.`);
  }
  const manifest = validate(FirmwareManifest, await manifestOf(measured, options, context));
  if (!manifest.ok) throw new CommandError('usage', 'That cannot be released.', { causes: [manifest.reason] });
  const unsigned = { document: documentBytes(manifest.value).toString('base64'), signatures: [] };
  return signedWith('firmware', unsigned, await signersOf(options, context));
}

async function manifestOf(
  { size, sha256 }: Pick<FirmwareManifest, 'size' | 'sha256'>,
  { product, hardware, version, minimumCounter = 1, expires, as: email, ...options }: PublishOptions,
  { api }: Context,
): Promise<FirmwareManifest> {
  if (product === undefined || hardware === undefined || version === undefined) {
    throw new CommandError('usage', 'It needs --product, --hardware and --version, or --signed.');
  }
  const { releases } = await api(email).listReleases({ params: { product }, query: { limit: 1 } });
  const [last] = releases;
  // The same image again is the same release: it goes on where it was.
  const again = last?.sha256 === sha256 && last.version === version && last.state === 'PUBLISHING' ? last : undefined;
  return {
    type: 'firmware',
    ...{ product, hardwareRevisions: [...hardware], version },
    counter: options.counter ?? again?.counter ?? (last?.counter ?? 0) + 1,
    ...{ minimumCounter, sha256, size },
    expiresAt: again?.expiresAt ?? Date.now() + expires * 86_400_000,
  };
}

const columns: readonly Column<Release>[] = [
  { title: 'COUNTER', value: ({ counter }) => String(counter), fixed: true },
  { title: 'VERSION', value: ({ version }) => version },
  { title: 'STATE', value: ({ state }) => state, fixed: true },
  { title: 'HARDWARE', value: ({ hardwareRevisions }) => hardwareRevisions.join(' ') },
  { title: 'BYTES', value: ({ size }) => String(size), fixed: true },
  { title: 'RELEASED', value: ({ createdAt }) => formatTime(createdAt), fixed: true },
  { title: 'EXPIRES', value: ({ expiresAt }) => formatTime(expiresAt), fixed: true },
  { title: 'REASON', value: ({ reason }) => reason ?? '' },
];

/** `firmware list` */
export const addFirmwareList: AddCommand = (command, bind) => {
  command
    .command('list')
    .summary('releases of a product, the newest first')
    .argument('<product>')
    .addOption(asOption())
    .action(
      bind(async ({ api, output, signal }, product: string, { as: email }: As) => {
        const found: Release[] = [];
        const request = { params: { product }, query: { limit: 100 } };
        for await (const { releases } of pages(api(email).listReleases, request, { signal })) found.push(...releases);
        output.table(columns, found, 'It has no releases.');
      }),
    );
};

/** `firmware show` */
export const addFirmwareShow: AddCommand = (command, bind) => {
  command
    .command('show')
    .summary('one release')
    .argument('<product>')
    .argument('<counter>', 'of the release', positiveInteger)
    .addOption(asOption())
    .option('--out <file>', 'writes what was signed there: to sign it again with other keys')
    .action(
      bind(
        async (
          { api, output },
          product: string,
          counter: number,
          { as: email, out }: As & { readonly out?: string },
        ) => {
          const found = await api(email).getRelease({ params: { product, counter: String(counter) } });
          if (out !== undefined) writeSignedFile(out, found.release);
          output.result(found, text(found));
        },
      ),
    );
};

/** `firmware yank` */
export const addFirmwareYank: AddCommand = (command, bind) => {
  command
    .command('yank')
    .summary('withdraws a release for good: no device begins it any more, and its rollouts end')
    .argument('<product>')
    .argument('<counter>', 'of the release', positiveInteger)
    .addOption(asOption())
    .requiredOption('--reason <text>', 'what devices and operators are told')
    .action(
      bind(
        async (
          { api, output },
          product: string,
          counter: number,
          { as: email, reason }: As & { readonly reason: string },
        ) => {
          const yanked = await api(email).yankRelease({
            params: { product, counter: String(counter) },
            body: { reason },
          });
          output.result(yanked, text(yanked));
        },
      ),
    );
};

/** `firmware current` */
export const addFirmwareCurrent: AddCommand = (command, bind) => {
  command
    .command('current')
    .summary('which release a device of the product gets that is in no rollout; with a counter, sets it')
    .argument('<product>')
    .argument('[counter]', 'of the release', positiveInteger)
    .addOption(asOption())
    .option('--unset', 'such devices keep what they have')
    .action(
      bind(
        async (
          { api, output },
          product: string,
          counter: number | undefined,
          { as: email, unset }: As & { readonly unset?: boolean },
        ) => {
          const params = { product };
          if (unset) {
            await api(email).unsetCurrentRelease({ params });
            return output.result({ product }, `${product} has no current release`);
          }
          const current = await (counter === undefined
            ? api(email).getCurrentRelease({ params })
            : api(email).setCurrentRelease({ params, body: { counter } }));
          output.result(current, `${product}  ${current.counter}  since ${formatTime(current.changedAt)}`);
        },
      ),
    );
};

function text({ product, counter, version, state, size, sha256, expiresAt, reason }: Release): string {
  return [
    `${product} ${counter}  ${version}  ${state}`,
    `${size} bytes, SHA-256 ${sha256}`,
    `expires ${formatTime(expiresAt)}`,
    ...(reason === undefined ? [] : [`reason: ${reason}`]),
  ].join('\n');
}
