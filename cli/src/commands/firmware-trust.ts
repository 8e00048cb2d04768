import type { FirmwareTrust, SignedDocument } from '@thingstead/contracts/firmware';
import { FIRMWARE_KEY_ALIASES } from '@thingstead/contracts/firmware-store';
import { acceptTrust, readTrust } from '@thingstead/crypto/firmware-trust';
import { documentBytes } from '@thingstead/crypto/strict-json';
import type { Command } from 'commander';
import { positiveInteger } from '../arguments.ts';
import { asOption } from '../as-option.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand, Context } from '../context.ts';
import { readTrustFile, writeSignedFile } from '../firmware/signed-file.ts';
import { type PublicKey, publicKeyIn, publicKeyInKms, type SignerOptions, signedWith } from '../firmware/signers.ts';
import { addSignerOptions, several, signersOf } from './firmware-key.ts';

interface KeyOptions extends SignerOptions {
  readonly releaseKey?: readonly string[];
  readonly releaseKmsKey?: readonly string[];
  readonly assignmentKey?: readonly string[];
}

interface TrustOptions extends KeyOptions {
  readonly out: string;
  readonly threshold?: number;
}

function addKeyOptions(command: Command): Command {
  return addSignerOptions(command)
    .requiredOption('--out <file>', 'the trust document')
    .option(
      '--release-key <file>',
      'a key that signs releases, private or public, in PEM; any number of times',
      several,
    )
    .option('--release-kms-key <id>', 'one of AWS KMS; any number of times', several)
    .option(
      '--assignment-key <file>',
      'the key with which the platform assigns, when the platform is not at hand',
      several,
    )
    .option('--threshold <count>', 'so many release keys have to sign', positiveInteger);
}

/** `firmware trust` */
export const addFirmwareTrust: AddCommand = (command, bind) => {
  const trust = command.command('trust').summary('whose signatures devices believe');
  addKeyOptions(
    trust.command('init').summary('the first trust document: it is installed on devices, and published'),
  ).action(
    bind(async (context, { out, threshold = 1, ...options }: TrustOptions) => {
      const first: FirmwareTrust = {
        type: 'trust',
        version: 1,
        releaseKeys: [...(await releaseKeysOf(options, context))],
        threshold,
        assignmentKeys: [...(await assignmentKeysOf(options, context))],
      };
      await sign(first, undefined, out, options, context);
    }),
  );
  addKeyOptions(
    trust
      .command('rotate')
      .summary('the trust document that follows another one, with other keys')
      .argument('<from>', 'the last one'),
  )
    .option('--remove <key-id>', 'a release key that is trusted no more; any number of times', several)
    .action(
      bind(
        async (context, from: string, { out, ...options }: TrustOptions & { readonly remove?: readonly string[] }) => {
          const { content: current } = readTrustFile(from);
          const { remove = [], threshold = current.threshold } = options;
          const added = await releaseKeysOf(options, context, false);
          const next: FirmwareTrust = {
            ...current,
            version: current.version + 1,
            releaseKeys: [...current.releaseKeys.filter(({ keyId }) => !remove.includes(keyId)), ...added],
            threshold,
            assignmentKeys: [
              ...(options.assignmentKey ? await assignmentKeysOf(options, context) : current.assignmentKeys),
            ],
          };
          await sign(next, current, out, options, context);
        },
      ),
    );
  trust
    .command('publish')
    .summary('hands a trust document to the platform, which checks it as devices do')
    .argument('<file>')
    .addOption(asOption())
    .action(
      bind(async ({ api, output }, file: string, { as: email }: { readonly as: string }) => {
        const { version } = await api(email).publishTrust({ body: { document: readTrustFile(file).signed } });
        output.result({ version }, `version ${version} is published; devices get it with their next grant`);
      }),
    );
  trust
    .command('show')
    .summary('the newest trust document that is published')
    .addOption(asOption())
    .option('--out <file>', 'writes it there, as devices are given it')
    .action(
      bind(async ({ api, output }, { as: email, out }: { readonly as: string; readonly out?: string }) => {
        const { documents } = await api(email).listTrust({ query: { limit: 1 } });
        const [newest] = documents;
        if (!newest)
          throw new CommandError('notFound', 'There is none yet.', { next: 'thingstead firmware trust init' });
        if (out !== undefined) writeSignedFile(out, newest.document);
        output.result(newest.trust, JSON.stringify(newest.trust, null, 2));
      }),
    );
};

/** Signs it with what is named, and says whether that is enough. */
async function sign(
  trust: FirmwareTrust,
  before: FirmwareTrust | undefined,
  out: string,
  options: SignerOptions,
  context: Context,
): Promise<void> {
  const unsigned = { document: documentBytes(trust).toString('base64'), signatures: [] };
  const signed = await signedWith('trust', unsigned, await signersOf(options, context));
  writeSignedFile(out, signed);
  const { output } = context;
  const missing = problemWith(signed, before);
  output.result(
    { file: out, version: trust.version, ...(missing !== undefined && { missing }) },
    `${out}  version ${trust.version}`,
  );
  if (missing === undefined) output.next(`thingstead firmware trust publish ${out} --as OPERATOR`);
  else output.say(`Not enough yet: ${missing}. Others add theirs with "thingstead firmware sign ${out}".`);
}

/** What a device would say of it. */
function problemWith(signed: SignedDocument, before: FirmwareTrust | undefined): string | undefined {
  const result = before ? acceptTrust(before, signed) : readTrust(signed);
  if (result.ok) return undefined;
  if (result.failure === 'malformed') throw new CommandError('usage', `It cannot be trusted: ${result.reason}.`);
  return result.reason;
}

async function releaseKeysOf(
  { releaseKey = [], releaseKmsKey = [] }: KeyOptions,
  { cloud }: Context,
  isNeeded = true,
): Promise<readonly PublicKey[]> {
  const inKms = await Promise.all(releaseKmsKey.map((id) => publicKeyInKms(id, cloud().kms)));
  const keys = [...releaseKey.map(publicKeyIn), ...inKms];
  if (isNeeded && keys.length === 0) throw new CommandError('usage', 'Name a --release-key or a --release-kms-key.');
  return keys;
}

/** Those that are named, or the one of the platform. */
async function assignmentKeysOf({ assignmentKey }: KeyOptions, { cloud }: Context): Promise<readonly PublicKey[]> {
  if (assignmentKey) return assignmentKey.map(publicKeyIn);
  return [await publicKeyInKms(FIRMWARE_KEY_ALIASES.assignment, cloud().kms)];
}
