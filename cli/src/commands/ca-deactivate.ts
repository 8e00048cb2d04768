import { UpdateCACertificateCommand } from '@aws-sdk/client-iot';
import type { AddCommand } from '../context.ts';
import { findCa } from '../registered-cas.ts';

/** `ca deactivate`: no new device of this CA gets in. Those that are in stay in. */
export const addCaDeactivate: AddCommand = (ca, bind) => {
  ca.command('deactivate')
    .summary('lets no new device of this CA in; devices that are in stay')
    .argument('<id-or-name>', 'id or name of a registered CA')
    .action(
      bind(async ({ cloud, output }, idOrName: string) => {
        const { certificateId, name } = await findCa(cloud(), idOrName);
        await cloud().iot.send(new UpdateCACertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
        output.result({ name, certificateId, status: 'INACTIVE' }, `${name} is inactive: ${certificateId}`);
      }),
    );
};
