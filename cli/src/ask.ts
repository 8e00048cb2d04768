/** Questions to whoever sits at the terminal. Answers go nowhere else: what is secret is not shown. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from './command-error.ts';

/** Where a script puts a password: not on a command line, which others on the machine can read. */
export const PASSWORD_VARIABLE = 'THINGSTEAD_PASSWORD';

/** From the environment, or typed. @throws CommandError (usage) when there is neither */
export async function askPassword(question: string): Promise<string> {
  const given = process.env[PASSWORD_VARIABLE];
  if (given) return given;
  return ask(question, { secret: true, instead: `the same with ${PASSWORD_VARIABLE} in the environment` });
}

/** @throws CommandError (usage) when there is no terminal */
export async function ask(
  question: string,
  { secret = false, instead }: { readonly secret?: boolean; readonly instead?: string } = {},
): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new CommandError('usage', `${question} is asked, and there is no terminal to ask on.`, {
      ...(instead === undefined ? {} : { next: instead }),
    });
  }
  process.stderr.write(`${question}: `);
  const output = secret ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stderr;
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      terminal.once('line', resolve);
      terminal.once('close', () => reject(new CommandError('usage', 'Nothing was typed.')));
    });
  } finally {
    terminal.close();
    if (secret) process.stderr.write('\n');
  }
}
