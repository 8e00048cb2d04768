import { positiveInteger } from '../arguments.ts';
import { caFolder, DEFAULT_CA_DIR } from '../ca-folder.ts';
import type { AddCommand } from '../context.ts';
import { SECRET_MODE, writeNewFile } from '../new-file.ts';
import { certificateIdOf, createCaPair } from '../x509.ts';

/** `ca create`: a new CA on this machine. It reaches no cloud. */
export const addCaCreate: AddCommand = (ca, bind) => {
  ca.command('create')
    .summary('makes a CA on this machine: a P-256 key and a self-signed certificate')
    .requiredOption('--name <name>', 'its name and common name')
    .option('--dir <dir>', 'where CAs are kept', DEFAULT_CA_DIR)
    .option('--days <days>', 'how long it is valid', positiveInteger, 3650)
    .action(
      bind(async ({ output }, { name, dir, days }: { name: string; dir: string; days: number }) => {
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
