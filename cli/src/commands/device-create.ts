import path from 'node:path';
import { DEFAULT_THING_TYPE } from '@thingstead/contracts/names';
import { Option } from 'commander';
import { positiveInteger, thingName } from '../arguments.ts';
import { DEFAULT_CA_DIR, readCa } from '../ca-folder.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand } from '../context.ts';
import { createDevice, type NewDeviceFirmware, type SensorKind } from '../create-device.ts';
import { readTrustFile } from '../firmware/signed-file.ts';
import { putManifestEntry } from '../registration-rows.ts';
import { STATE_FOLDER } from '../target.ts';
import { certificateIdOf } from '../x509.ts';

interface Options {
  readonly ca: string;
  readonly dir: string;
  readonly days: number;
  readonly out?: string;
  readonly manifest?: boolean;
  readonly renewalUrl?: string;
  readonly sensors: SensorKind;
  readonly trust?: string;
  readonly product?: string;
}

/** `device create`: everything a device needs to join, in one folder. */
export const addDeviceCreate: AddCommand = (device, bind) => {
  device
    .command('create')
    .summary('makes key, certificate and agent configuration for a device')
    .argument('<name>', 'thing name', thingName)
    .requiredOption('--ca <name>', 'the CA that issues its certificate')
    .option('--dir <dir>', 'where CAs are kept', DEFAULT_CA_DIR)
    .option('--days <days>', 'how long the certificate is valid', positiveInteger, 365)
    .option('--out <dir>', `folder for the files (default: ${path.join(STATE_FOLDER, 'devices')}/<name>)`)
    .option(
      '--renewal-url <url>',
      'where it asks once its certificate has expired: the output ApiUrl and /certificates/renewals',
    )
    .option('--manifest', 'puts the name on the manifest too, for this certificate only')
    .addOption(
      new Option('--sensors <kind>', 'made-up values, or what the board knows of itself')
        .choices(['simulator', 'board'])
        .default('simulator'),
    )
    .option('--trust <file>', 'the first trust document: it takes updates into slots, under thingstead-launcher')
    .option('--product <type>', `with --trust: what it is, for releases: its thing type; ${DEFAULT_THING_TYPE}`)
    .action(
      bind(async (context, name: string, options: Options) => {
        const { ca, dir, days, out, manifest, renewalUrl, sensors, trust, product } = options;
        const firmware = firmwareOf(trust, product);
        const pair = readCa(ca, dir);
        const cloud = context.cloud();
        const folder = out ?? path.join(STATE_FOLDER, 'devices', name);
        const endpoint = await cloud.deviceEndpoint();
        const created = await createDevice({
          ...{ name, ca: pair, days, folder, endpoint, sensors, renewalUrl, firmware },
          demo: cloud.local,
        });
        const { certificateId, configFile } = created;
        context.journal.add({ target: await cloud.id(), kind: 'device', name, certificateId, folder });
        if (manifest) {
          const caCertificateId = certificateIdOf(pair.certificate);
          const typed = product === undefined ? {} : { thingType: product };
          const entry = { thing: name, certificateId, caCertificateId, ...typed, addedAt: Date.now() };
          await putManifestEntry(cloud, entry);
        }
        context.output.result(
          { thing: name, folder, manifest: manifest === true, ...created },
          `${folder}: device.crt, device.key, device.json`,
        );
        const agent = `--config ${configFile} run`;
        context.output.say(
          firmware
            ? `next, on the device: thingstead-launcher --directory ${path.join(folder, 'slots')} --factory DIR -- ${agent}`
            : `next, on the device: thingstead-agent ${agent}`,
        );
      }),
    );
};

/** Undefined: it takes no updates. @throws CommandError (usage) */
function firmwareOf(trust: string | undefined, product: string | undefined): NewDeviceFirmware | undefined {
  if (trust !== undefined) return { product: product ?? DEFAULT_THING_TYPE, trust: readTrustFile(trust).signed };
  if (product === undefined) return undefined;
  throw new CommandError('usage', '--product is what a device takes updates as, and it takes none without --trust.', {
    next: 'thingstead firmware trust show --out trust.json',
  });
}
