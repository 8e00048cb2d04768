import { CommandError } from '../command-error.ts';
import type { AddCommand } from '../context.ts';
import { signOut } from '../signed-in.ts';

/** `sign-out` */
export const addSignOut: AddCommand = (program, bind) => {
  program
    .command('sign-out')
    .summary('ends the sign-in that commands with --as have kept on this machine')
    .requiredOption('--as <email>', 'whose')
    .action(
      bind(async ({ deployment, output }, { as: email }: { readonly as: string }) => {
        if (!(await signOut(email, deployment()))) {
          throw new CommandError('notFound', `${email} is not signed in on this machine.`);
        }
        output.result({ email, signedOut: true }, `${email} is signed out.`);
      }),
    );
};
