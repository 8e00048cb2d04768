import type { AddCommand } from '../context.ts';
import type { Column } from '../table.ts';
import { certificatesOf, listThings, mapInParallel, type Thing } from '../things.ts';

interface Row extends Thing {
  readonly certificates: readonly { readonly certificateId: string; readonly status: string }[];
}

const columns: readonly Column<Row>[] = [
  { title: 'THING', value: (row) => row.thing },
  { title: 'TYPE', value: (row) => row.type ?? '' },
  {
    title: 'STATUS',
    value: (row) => row.certificates.map((each) => each.status).join(', ') || 'no certificate',
    fixed: true,
  },
  { title: 'CERTIFICATE', value: (row) => row.certificates.map((each) => each.certificateId).join(', ') },
];

/** `device list` */
export const addDeviceList: AddCommand = (device, bind) => {
  device
    .command('list')
    .summary('things with their certificates')
    .option('--prefix <prefix>', 'only names that begin so')
    .action(
      bind(async ({ cloud, output }, { prefix }: { prefix?: string }) => {
        const things = await listThings(cloud(), prefix);
        const rows = await mapInParallel(things, async (thing): Promise<Row> => {
          const certificates = await certificatesOf(cloud(), thing.thing);
          return {
            ...thing,
            certificates: certificates.map(({ certificateId, status }) => ({ certificateId, status })),
          };
        });
        output.table(
          columns,
          rows,
          'There are no things. A device becomes one when it connects: thingstead device create NAME --ca CA',
        );
      }),
    );
};
