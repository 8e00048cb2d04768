import { positiveInteger } from '../arguments.ts';
import { caFolder, DEFAULT_CA_DIR } from '../ca-folder.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand, Context } from '../context.ts';
import { createKmsCa } from '../kms-ca.ts';
import { SECRET_MODE, writeNewFile } from '../new-file.ts';
import { registerCa } from '../registered-cas.ts';
import { getIssuer, putIssuer } from '../renewal-rows.ts';
import { certificateIdOf, createCaPair } from '../x509.ts';

interface Options {
  readonly name: string;
  readonly dir: string;
  readonly days: number;
  readonly kms?: boolean;
  readonly replace?: boolean;
}

/** `ca create`: a new CA on this machine, which reaches no cloud; or with its key in KMS, registered at once. */
export const addCaCreate: AddCommand = (ca, bind) => {
  ca.command('create')
    .summary('makes a CA on this machine: a P-256 key and a self-signed certificate')
    .requiredOption('--name <name>', 'its name and common name')
    .option('--dir <dir>', 'where CAs are kept', DEFAULT_CA_DIR)
    .option('--days <days>', 'how long it is valid', positiveInteger, 3650)
    .option('--kms', 'its key is in KMS: it signs the next certificates of devices, and is registered at once')
    .option('--replace', 'with --kms: in place of the one there is')
    .action(
      bind(async (context, { name, dir, days, kms, replace }: Options) => {
        if (kms) return createInKms(context, { name, days, replace: replace === true });
        const { output } = context;
        const { folder, certificateFile, keyFile } = caFolder(name, dir);
        const { certificate, privateKey } = await createCaPair(name, days, Date.now());
        writeNewFile(keyFile, privateKey, SECRET_MODE);
        writeNewFile(certificateFile, certificate);
        output.result(
          { name, folder, certificateFile, keyFile, certificateId: certificateIdOf(certificate) },
          `${folder}: ca.crt, ca.key`,
        );
        output.say('Whoever has ca.key can make devices: keep it off-line, or in an HSM for a real fleet.');
        output.next(`thingstead ca register --name ${name}`);
      }),
    );
};

async function createInKms(
  { cloud, output }: Context,
  { name, days, replace }: { readonly name: string; readonly days: number; readonly replace: boolean },
): Promise<void> {
  const before = await getIssuer(cloud());
  if (before && !replace) {
    throw new CommandError('conflict', 'There is a CA in KMS already.', {
      causes: [`its certificate is ${before.certificateId}`, 'devices that it has issued stay in when it is replaced'],
      next: `thingstead ca create --kms --name ${name} --replace`,
    });
  }
  const certificate = await createKmsCa(cloud(), name, days, Date.now());
  // Registered first: what it signs before would not be let in.
  const certificateId = await registerCa(cloud(), { certificate }, 'sni-only', Date.now());
  await putIssuer(cloud(), { certificate, certificateId, createdAt: Date.now() });
  output.result({ name, certificateId, key: 'KMS' }, `${name} is registered, its key is in KMS: ${certificateId}`);
}
