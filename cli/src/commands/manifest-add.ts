import type { ManifestEntry } from '@thingstead/contracts/registration';
import { Option } from 'commander';
import { certificateId, keyValue, thingName } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand } from '../context.ts';
import { readManifestFile } from '../manifest-file.ts';
import { findCa } from '../registered-cas.ts';
import { putManifestEntry } from '../registration-rows.ts';

interface Options {
  readonly certificate?: string;
  readonly ca?: string;
  readonly type?: string;
  readonly attribute?: Readonly<Record<string, string>>;
  readonly file?: string;
}

/** `manifest add`: lets a name in that a fleet with a manifest would hold, or says more about it. */
export const addManifestAdd: AddCommand = (manifest, bind) => {
  manifest
    .command('add')
    .summary('adds or replaces an entry, or a list of them')
    .argument('[name]', 'thing name', thingName)
    .option('--certificate <file-or-id>', 'only this certificate may have the name; it may take it from another')
    .option('--ca <id-or-name>', 'only certificates of this CA may have the name')
    .option('--type <type>', 'thing type')
    .option('--attribute <key=value>', 'attribute of the thing; may be repeated', keyValue)
    .addOption(
      new Option('--file <file>', 'list: .csv with a header line, or .json with an array').conflicts([
        'certificate',
        'ca',
        'type',
        'attribute',
      ]),
    )
    .action(
      bind(async ({ cloud, output }, name: string | undefined, { certificate, ca, type, attribute, file }: Options) => {
        if ((name === undefined) === (file === undefined)) {
          throw new CommandError('usage', 'Give either a name or --file.', { next: 'thingstead manifest add --help' });
        }
        const addedAt = Date.now();
        const entries: readonly ManifestEntry[] =
          file !== undefined
            ? readManifestFile(file, addedAt)
            : [
                {
                  thing: name ?? '',
                  ...(certificate === undefined ? {} : { certificateId: certificateId(certificate) }),
                  ...(ca === undefined ? {} : { caCertificateId: (await findCa(cloud(), ca)).certificateId }),
                  ...(type === undefined ? {} : { thingType: type }),
                  ...(attribute === undefined ? {} : { attributes: attribute }),
                  addedAt,
                },
              ];
        for (const entry of entries) await putManifestEntry(cloud(), entry);
        output.result(
          { added: entries.length },
          `${entries.length} ${entries.length === 1 ? 'entry' : 'entries'} on the manifest`,
        );
      }),
    );
};
