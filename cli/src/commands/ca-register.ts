import { Option } from 'commander';
import { DEFAULT_CA_DIR, readCa } from '../ca-folder.ts';
import type { AddCommand } from '../context.ts';
import { type CaMode, registerCa } from '../registered-cas.ts';

/** `ca register`: devices of this CA may register themselves from now on. */
export const addCaRegister: AddCommand = (ca, bind) => {
  ca.command('register')
    .summary('registers a CA with AWS IoT: active, with automatic registration of its devices')
    .requiredOption('--name <name>', 'name of the CA')
    .option('--dir <dir>', 'where CAs are kept', DEFAULT_CA_DIR)
    .addOption(
      new Option(
        '--mode <mode>',
        'sni-only: the CA may be registered in many accounts; default: in one, with a proof of its key',
      )
        .choices(['sni-only', 'default'])
        .default('sni-only'),
    )
    .action(
      bind(async (context, { name, dir, mode }: { name: string; dir: string; mode: CaMode }) => {
        const pair = readCa(name, dir);
        const cloud = context.cloud();
        const certificateId = await registerCa(cloud, pair, mode, Date.now());
        context.journal.add({ target: await cloud.id(), kind: 'ca', name, certificateId, folder: pair.folder });
        context.output.result({ name, certificateId, mode }, `${name} is registered: ${certificateId}`);
        context.output.next(`thingstead device create NAME --ca ${name}`);
      }),
    );
};
