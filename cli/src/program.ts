import { Command } from 'commander';
import { addCaCreate } from './commands/ca-create.ts';
import { addCaDeactivate } from './commands/ca-deactivate.ts';
import { addCaList } from './commands/ca-list.ts';
import { addCaRegister } from './commands/ca-register.ts';
import { addClean } from './commands/clean.ts';
import { addDeviceCreate } from './commands/device-create.ts';
import { addDeviceList } from './commands/device-list.ts';
import { addDeviceRevoke } from './commands/device-revoke.ts';
import { addDeviceShow } from './commands/device-show.ts';
import { addManifestAdd } from './commands/manifest-add.ts';
import { addManifestList } from './commands/manifest-list.ts';
import { addSend } from './commands/send.ts';
import { addSimulate } from './commands/simulate.ts';
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
    name: 'device',
    summary: 'devices and their certificates',
    commands: [addDeviceCreate, addDeviceList, addDeviceShow, addDeviceRevoke],
  },
  {
    name: 'manifest',
    summary: 'what is known about devices before they connect',
    commands: [addManifestAdd, addManifestList],
  },
];

const commands: readonly AddCommand[] = [addSend, addWatch, addSimulate, addClean];

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
