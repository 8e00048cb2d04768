import type { Client } from '@thingstead/client';
import { jsonMember, positiveInteger, thingName } from '../arguments.ts';
import { asOption } from '../as-option.ts';
import { CommandError } from '../command-error.ts';
import type { AddCommand } from '../context.ts';
import { formatTime } from '../output.ts';

type State = Awaited<ReturnType<Client['getState']>>;

/** `state get` */
export const addStateGet: AddCommand = (state, bind) => {
  state
    .command('get')
    .summary('what a thing reports, what is desired of it, and the difference')
    .argument('<name>', 'thing name', thingName)
    .addOption(asOption())
    .action(
      bind(async ({ api, output }, name: string, { as: email }: { readonly as: string }) => {
        const found = await api(email).getState({ params: { thing: name } });
        output.result(found, text(found));
      }),
    );
};

interface SetOptions {
  readonly as: string;
  readonly ifVersion?: number;
}

/** `state set` */
export const addStateSet: AddCommand = (state, bind) => {
  state
    .command('set')
    .summary('sets members of the desired state; the device applies and reports them when it is connected')
    .argument('<name>', 'thing name', thingName)
    .argument('<member...>', 'key=value, the value as JSON or as text; null takes it away')
    .addOption(asOption())
    .option('--if-version <version>', 'only if nobody has changed the state since', positiveInteger)
    .action(
      bind(async ({ api, output }, name: string, members: readonly string[], { as: email, ifVersion }: SetOptions) => {
        const desired = Object.fromEntries(members.map((each) => jsonMember(each)));
        if (Object.keys(desired).length < members.length) throw new CommandError('usage', 'A member is named twice.');
        const found = await api(email).patchState({
          params: { thing: name },
          headers: ifVersion === undefined ? {} : { 'if-match': `"${ifVersion}"` },
          body: { desired },
        });
        output.result(found, text(found));
      }),
    );
};

function text({ reported, desired, delta, version, at }: State): string {
  const part = (title: string, section: object | undefined): readonly string[] =>
    Object.entries(section ?? {}).map(([key, value]) => `${title.padEnd(10)}${key} = ${JSON.stringify(value)}`);
  return [
    `version   ${version} at ${formatTime(at)}`,
    ...part('reported', reported),
    ...part('desired', desired),
    ...part('delta', delta),
  ].join('\n');
}
