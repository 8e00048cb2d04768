import { Command } from 'commander';
import { addCaCreate } from './commands/ca-create.ts';
import { addCaDeactivate } from './commands/ca-deactivate.ts';
import { addCaList } from './commands/ca-list.ts';
import { addCaRegister } from './commands/ca-register.ts';
import {
  addCertificatesExpiring,
  addCertificatesPending,
  addCertificatesRenew,
  addCertificatesSign,
} from './commands/certificates.ts';
import { addClean } from './commands/clean.ts';
import { addCommandGive, addCommandList, addCommandShow } from './commands/command.ts';
import { addDeviceCreate } from './commands/device-create.ts';
import { addDeviceList } from './commands/device-list.ts';
import { addDeviceRevoke } from './commands/device-revoke.ts';
import { addDeviceShow } from './commands/device-show.ts';
import { addFilesGet, addFilesList, addFilesPut, addFilesRemove, addFilesWatch } from './commands/files.ts';
import {
  addFirmwareCurrent,
  addFirmwareList,
  addFirmwarePublish,
  addFirmwareShow,
  addFirmwareYank,
} from './commands/firmware.ts';
import { addFirmwareKey, addFirmwareSign } from './commands/firmware-key.ts';
import { addFirmwareTrust } from './commands/firmware-trust.ts';
import { addManifestAdd } from './commands/manifest-add.ts';
import { addManifestList } from './commands/manifest-list.ts';
import { addPair } from './commands/pair.ts';
import {
  addRolloutAbort,
  addRolloutCreate,
  addRolloutDevices,
  addRolloutDryRun,
  addRolloutList,
  addRolloutPause,
  addRolloutResume,
  addRolloutRetry,
  addRolloutShow,
  addRolloutWatch,
} from './commands/rollout.ts';
import { addSend } from './commands/send.ts';
import { addSignOut } from './commands/sign-out.ts';
import { addSimulate } from './commands/simulate.ts';
import { addSiteGive } from './commands/site-give.ts';
import { addStateGet, addStateSet } from './commands/state.ts';
import { addThings } from './commands/things.ts';
import { addUserCreate } from './commands/user-create.ts';
import { addUserDelete } from './commands/user-delete.ts';
import { addUserDisable, addUserEnable } from './commands/user-enable.ts';
import { addUserAddToGroup, addUserRemoveFromGroup } from './commands/user-group.ts';
import { addUserList } from './commands/user-list.ts';
import { addUserShow } from './commands/user-show.ts';
import { addWatch } from './commands/watch.ts';
import type { AddCommand, Bind } from './context.ts';
import type { Streams } from './output.ts';

interface Group {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly AddCommand[];
}

const groups: readonly Group[] = [
  {
    name: 'ca',
    summary: 'certificate authorities that issue device certificates',
    commands: [addCaCreate, addCaRegister, addCaList, addCaDeactivate],
  },
  {
    name: 'certificates',
    summary: 'the next certificates of devices',
    commands: [addCertificatesPending, addCertificatesSign, addCertificatesExpiring, addCertificatesRenew],
  },
  {
    name: 'device',
    summary: 'devices and their certificates',
    commands: [addDeviceCreate, addDeviceList, addDeviceShow, addDeviceRevoke],
  },
  {
    name: 'manifest',
    summary: 'what is known about devices before they connect',
    commands: [addManifestAdd, addManifestList],
  },
  {
    name: 'user',
    summary: 'accounts of people, for an operator with AWS credentials',
    commands: [
      ...[addUserCreate, addUserList, addUserShow, addUserDisable, addUserEnable, addUserDelete],
      ...[addUserAddToGroup, addUserRemoveFromGroup],
    ],
  },
  { name: 'site', summary: 'sites and whose they are', commands: [addSiteGive] },
  {
    name: 'state',
    summary: 'what a thing of a person reports and what is desired of it',
    commands: [addStateGet, addStateSet],
  },
  {
    name: 'command',
    summary: 'what a thing of a person is told to do once',
    commands: [addCommandGive, addCommandShow, addCommandList],
  },
  {
    name: 'files',
    summary: 'files to and from a thing of a person, encrypted and decrypted here',
    commands: [addFilesPut, addFilesGet, addFilesList, addFilesRemove, addFilesWatch],
  },
  {
    name: 'rollout',
    summary: 'releases on their way to devices',
    commands: [
      ...[addRolloutCreate, addRolloutDryRun, addRolloutWatch, addRolloutShow, addRolloutList, addRolloutDevices],
      ...[addRolloutPause, addRolloutResume, addRolloutAbort, addRolloutRetry],
    ],
  },
  {
    name: 'firmware',
    summary: 'releases of firmware, and whose signatures devices believe',
    commands: [
      ...[addFirmwarePublish, addFirmwareSign, addFirmwareList, addFirmwareShow, addFirmwareYank, addFirmwareCurrent],
      ...[addFirmwareTrust, addFirmwareKey],
    ],
  },
];

const commands: readonly AddCommand[] = [addSend, addWatch, addSimulate, addClean, addThings, addPair, addSignOut];

/** The whole grammar: `thingstead [options] noun verb` or `thingstead [options] verb`. */
export function createProgram(bind: Bind, { stdout, stderr }: Streams): Command {
  const program = new Command('thingstead')
    .exitOverride()
    .configureOutput({ writeOut: stdout, writeErr: stderr })
    .description("the operator's command; works on AWS, or with --local on the local runtime of this checkout")
    .option('--local', 'the local runtime that "npm start" runs')
    .option('--endpoints <file>', 'the local runtime with this endpoints file')
    .option('--region <region>', 'AWS region')
    .option('--profile <profile>', 'AWS profile')
    .option(
      '--outputs <file>',
      'for people on AWS: what "cdk deploy --outputs-file" has written, or THINGSTEAD_OUTPUTS',
    )
    .option('--json', 'one line of JSON per row')
    .option('--debug', 'the stack of an error')
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 auth, 4 not found, 5 conflict, 6 offline, 130 interrupted',
    );
  for (const { name, summary, commands: members } of groups) {
    const group = program.command(name).description(summary);
    for (const add of members) add(group, bind);
  }
  for (const add of commands) add(program, bind);
  return program;
}
