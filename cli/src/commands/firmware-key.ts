import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import type { AddCommand, Context } from '../context.ts';
import { readSignedFile, writeSignedFile } from '../firmware/signed-file.ts';
import {
  newKey,
  publicKeyIn,
  publicKeyInKms,
  type SignerOptions,
  signedWith,
  signersFrom,
} from '../firmware/signers.ts';
import { SECRET_MODE, writeNewFile } from '../new-file.ts';

/** Any number of times. */
export function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Options that say who signs. */
export function addSignerOptions(command: Command): Command {
  return command
    .option('--key <file>', 'signs with the private key in this file; any number of times', several)
    .option(
      '--kms-key <id>',
      'signs with this key of AWS KMS, e.g. alias/thingstead-firmware-release; any number of times',
      several,
    );
}

/** Those who sign. @throws CommandError (usage) when there is none */
export async function signersOf(options: SignerOptions, { cloud }: Pick<Context, 'cloud'>) {
  const signers = await signersFrom(options, () => cloud().kms);
  if (signers.length === 0) throw new CommandError('usage', 'Nobody signs it: name --key FILE or --kms-key ID.');
  return signers;
}

/** `firmware key create`, `firmware key show` */
export const addFirmwareKey: AddCommand = (command, bind) => {
  const key = command.command('key').summary('keys that sign releases');
  key
    .command('create')
    .summary('makes a private key on P-256, for this account of the machine alone to read')
    .argument('<file>')
    .action(
      bind(async ({ output }, file: string) => {
        const { pem, publicKey } = newKey();
        writeNewFile(file, pem, SECRET_MODE);
        output.result({ file, ...publicKey }, `${file}  ${publicKey.keyId}`);
        output.say(
          'Keep a copy where no machine reaches it: without the key, devices that trust it alone get no more releases.',
        );
      }),
    );
  key
    .command('show')
    .summary('the id and the public half of a key')
    .argument('[file]', 'a private or a public one, in PEM')
    .option('--kms-key <id>', 'in AWS KMS')
    .action(
      bind(async ({ output, cloud }, file: string | undefined, { kmsKey }: { readonly kmsKey?: string }) => {
        if ((file === undefined) === (kmsKey === undefined))
          throw new CommandError('usage', 'Name a file or --kms-key.');
        const publicKey = kmsKey === undefined ? publicKeyIn(file ?? '') : await publicKeyInKms(kmsKey, cloud().kms);
        output.result(publicKey, `${publicKey.keyId}\n${publicKey.spki}`);
      }),
    );
};

/** `firmware sign` */
export const addFirmwareSign: AddCommand = (command, bind) => {
  addSignerOptions(
    command
      .command('sign')
      .summary('adds a signature to a release or a trust document in a file, where two keys are asked for')
      .argument('<file>', 'as "firmware publish --sign-only" or "firmware trust" wrote it'),
  ).action(
    bind(async (context, file: string, options: SignerOptions) => {
      const { signed, content } = readSignedFile(file);
      const { output } = context;
      // What one signs one should have seen.
      output.say(JSON.stringify(content, null, 2));
      const by = await signersOf(options, context);
      const next = await signedWith(content.type, signed, by);
      writeSignedFile(file, next);
      output.result({ file, signatures: next.signatures.length }, `${file} has ${next.signatures.length} signatures`);
    }),
  );
};
