import { asOption } from '../as-option.ts';
import type { AddCommand } from '../context.ts';

/** `pair` */
export const addPair: AddCommand = (program, bind) => {
  program
    .command('pair')
    .summary('takes possession of the thing that shows this code')
    .argument('<code>', 'as the device shows it: ACDE-F346')
    .addOption(asOption())
    .action(
      bind(async ({ api, output }, code: string, { as: email }: { readonly as: string }) => {
        const owned = await api(email).pair({ body: { code } });
        output.result(owned, `${owned.thing} is yours.`);
        output.next(`thingstead things ${owned.thing} --as ${email}`);
      }),
    );
};
