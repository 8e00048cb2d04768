import type { Cloud } from '../cloud.ts';
import { confirmByTyping } from '../confirm.ts';
import type { AddCommand } from '../context.ts';
import type { JournalEntry } from '../journal.ts';
import { plural } from '../output.ts';
import { removeCa, removeDevice } from '../remove.ts';
import { certificatesOf, listThings } from '../things.ts';

interface Options {
  readonly prefix?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `clean`: takes away what this command has made. */
export const addClean: AddCommand = (program, bind) => {
  program
    .command('clean')
    .summary('removes the devices and CAs that this command has made here: things, certificates, rows and files')
    .option('--prefix <prefix>', 'instead: every thing whose name begins so, whoever made it')
    .option('--dry-run', 'only shows what would go')
    .option('--yes', 'does not ask')
    .action(
      bind(async ({ cloud, output, journal }, { prefix, dryRun, yes }: Options) => {
        const target = await cloud().id();
        const own = journal.entries().filter((each) => each.target === target);
        const devices = prefix === undefined ? newest(own, 'device') : await withPrefix(cloud(), prefix, own);
        const cas = prefix === undefined ? newest(own, 'ca') : [];
        const rows = [...devices, ...cas];
        output.table(
          [
            { title: 'KIND', value: (row) => row.kind, fixed: true },
            { title: 'NAME', value: (row) => row.name },
            { title: 'CERTIFICATE', value: (row) => row.certificateId },
            { title: 'FILES', value: (row) => row.folder },
          ],
          rows,
          'There is nothing to clean.',
        );
        if (dryRun || rows.length === 0) return;
        if (!yes)
          await confirmByTyping(
            output,
            'clean',
            `This goes from ${target}. Telemetry stays until it expires; revocations stay.`,
          );
        for (const device of devices) await removeDevice(cloud(), device);
        const inUse = new Set(
          journal
            .entries()
            .filter((each) => each.target !== target)
            .map((each) => each.folder),
        );
        for (const ca of cas) await removeCa(cloud(), ca, !inUse.has(ca.folder));
        if (prefix === undefined) journal.forget(target);
        output.say(`Removed ${plural(devices.length, 'device')} and ${plural(cas.length, 'CA')}.`);
      }),
    );
};

/** One entry per certificate. */
function newest(entries: readonly JournalEntry[], kind: JournalEntry['kind']): readonly JournalEntry[] {
  return [...new Map(entries.filter((each) => each.kind === kind).map((each) => [each.certificateId, each])).values()];
}

async function withPrefix(
  cloud: Cloud,
  prefix: string,
  own: readonly JournalEntry[],
): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (const { thing } of await listThings(cloud, prefix)) {
    const certificates = await certificatesOf(cloud, thing);
    for (const { certificateId } of certificates.length > 0 ? certificates : [{ certificateId: '' }]) {
      const made = own.find((each) => each.certificateId === certificateId);
      entries.push(made ?? { target: '', kind: 'device', name: thing, certificateId, folder: '' });
    }
  }
  return entries;
}
