import type { ManifestEntry } from '@thingstead/contracts/registration';
import type { AddCommand } from '../context.ts';
import { formatTime } from '../output.ts';
import { listManifest } from '../registration-rows.ts';
import type { Column } from '../table.ts';

const columns: readonly Column<ManifestEntry>[] = [
  { title: 'THING', value: (entry) => entry.thing },
  { title: 'TYPE', value: (entry) => entry.thingType ?? '' },
  {
    title: 'ATTRIBUTES',
    value: (entry) =>
      Object.entries(entry.attributes ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
  },
  { title: 'ADDED', value: (entry) => formatTime(entry.addedAt), fixed: true },
  { title: 'CERTIFICATE', value: (entry) => entry.certificateId ?? 'any' },
  { title: 'CA', value: (entry) => entry.caCertificateId ?? 'any' },
];

/** `manifest list` */
export const addManifestList: AddCommand = (manifest, bind) => {
  manifest
    .command('list')
    .summary('what is known about devices before they connect')
    .action(
      bind(async ({ cloud, output }) => {
        output.table(columns, await listManifest(cloud()), 'The manifest is empty.');
      }),
    );
};
