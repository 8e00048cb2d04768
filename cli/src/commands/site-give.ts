import { siteName } from '../arguments.ts';
import { asOption } from '../as-option.ts';
import type { AddCommand } from '../context.ts';
import { getUser } from '../users.ts';

/** `site give` */
export const addSiteGive: AddCommand = (site, bind) => {
  site
    .command('give')
    .summary('makes a site and names its owner, or gives it to another; whoever else had access to it has none then')
    .argument('<site>', 'what its things’ names begin with: macdonald of macdonald-barn1', siteName)
    .requiredOption('--to <email>', 'the owner')
    .addOption(asOption())
    .action(
      bind(
        async (
          { api, cloud, output },
          name: string,
          { as: email, to }: { readonly as: string; readonly to: string },
        ) => {
          const { person } = await getUser(cloud(), to);
          const given = await api(email).putSite({ params: { site: name }, body: { owner: person } });
          output.result(given, `${given.site} with all its things belongs to ${to}.`);
        },
      ),
    );
};
