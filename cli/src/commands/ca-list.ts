import type { AddCommand } from '../context.ts';
import { listCas, type RegisteredCa } from '../registered-cas.ts';
import type { Column } from '../table.ts';

const columns: readonly Column<RegisteredCa>[] = [
  { title: 'NAME', value: (ca) => ca.name },
  { title: 'STATUS', value: (ca) => ca.status, fixed: true },
  { title: 'AUTO-REGISTRATION', value: (ca) => ca.autoRegistration, fixed: true },
  { title: 'MODE', value: (ca) => ca.mode, fixed: true },
  { title: 'UNTIL', value: (ca) => ca.notAfter?.slice(0, 10) ?? '', fixed: true },
  { title: 'ID', value: (ca) => ca.certificateId },
];

/** `ca list` */
export const addCaList: AddCommand = (ca, bind) => {
  ca.command('list')
    .summary('CAs that are registered here')
    .action(
      bind(async ({ cloud, output }) => {
        output.table(
          columns,
          await listCas(cloud()),
          'No CA is registered. Make one: thingstead ca create --name NAME',
        );
      }),
    );
};
