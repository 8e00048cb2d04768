import { createInterface } from 'node:readline/promises';
import { CommandError } from './command-error.ts';
import type { Output } from './output.ts';

/**
 * Shows what will happen and lets the person type a word before it does.
 *
 * @throws CommandError (usage) when there is nobody to ask, or something else was typed.
 */
export async function confirmByTyping(output: Output, word: string, plan: string): Promise<void> {
  output.say(plan);
  if (!process.stdin.isTTY) {
    throw new CommandError('usage', 'This needs a confirmation, and there is no terminal to ask on.', {
      next: 'the same with --yes',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    if ((await terminal.question(`Type ${word} to go on: `)).trim() === word) return;
  } finally {
    terminal.close();
  }
  throw new CommandError('usage', 'Not confirmed; nothing was changed.');
}
