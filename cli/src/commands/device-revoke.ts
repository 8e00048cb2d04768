import { UpdateCertificateCommand } from '@aws-sdk/client-iot';
import { certificateId, thingName } from '../arguments.ts';
import type { Cloud } from '../cloud.ts';
import { CommandError } from '../command-error.ts';
import { confirmByTyping } from '../confirm.ts';
import type { AddCommand } from '../context.ts';
import { plural } from '../output.ts';
import { putRevocation } from '../registration-rows.ts';
import { certificatesOf, getCertificate, getThing } from '../things.ts';

interface Options {
  readonly certificate?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

/** `device revoke`: a certificate never gets in again. */
export const addDeviceRevoke: AddCommand = (device, bind) => {
  device
    .command('revoke')
    .summary('revokes the certificates of a thing, or one certificate, for ever')
    .argument('[name]', 'thing name', thingName)
    .option('--certificate <file-or-id>', 'only this certificate; it may never have connected')
    .option('--reason <text>', 'for the record')
    .option('--yes', 'does not ask')
    .action(
      bind(async ({ cloud, output }, name: string | undefined, { certificate, reason, yes }: Options) => {
        const ids = await chosen(cloud(), name, certificate);
        if (!yes)
          await confirmByTyping(
            output,
            name ?? (ids[0] ?? '').slice(0, 8),
            `${plural(ids.length, 'certificate')} will be revoked for ever:\n  ${ids.join('\n  ')}`,
          );
        const rows = [];
        for (const id of ids) {
          // The list first: a registration that runs at this moment looks at it once more after it has activated.
          await putRevocation(cloud(), id, Date.now(), reason);
          const known = await getCertificate(cloud(), id);
          if (known) await cloud().iot.send(new UpdateCertificateCommand({ certificateId: id, newStatus: 'REVOKED' }));
          rows.push({ certificateId: id, onRevocationList: true, status: known ? 'REVOKED' : 'not registered' });
        }
        output.table(
          [
            { title: 'CERTIFICATE', value: (row) => row.certificateId },
            { title: 'STATUS', value: (row) => row.status, fixed: true },
          ],
          rows,
          'Nothing to revoke.',
        );
        output.say('AWS IoT ends connections of a revoked certificate within minutes.');
      }),
    );
};

async function chosen(
  cloud: Cloud,
  name: string | undefined,
  certificate: string | undefined,
): Promise<readonly string[]> {
  if (certificate !== undefined) {
    const id = certificateId(certificate);
    if (name === undefined) return [id];
    const owned = await certificatesOf(cloud, (await getThing(cloud, name)).thing);
    if (owned.some((each) => each.certificateId === id)) return [id];
    throw new CommandError('conflict', `The certificate does not belong to "${name}".`, {
      next: `thingstead device show ${name}`,
    });
  }
  if (name === undefined) {
    throw new CommandError('usage', 'Which certificate?', {
      next: 'thingstead device revoke NAME, or --certificate FILE',
    });
  }
  const ids = (await certificatesOf(cloud, (await getThing(cloud, name)).thing)).map((each) => each.certificateId);
  if (ids.length > 0) return ids;
  throw new CommandError('notFound', `"${name}" has no certificate.`, { next: `thingstead device show ${name}` });
}
