import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CommandError } from './command-error.ts';

/** Of what nobody else on the machine may read. */
export const SECRET_MODE = 0o600;

/** Writes a file that is not there yet. @throws CommandError (conflict): a key that is overwritten is gone for ever. */
export function writeNewFile(file: string, text: string, mode = 0o644): void {
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    writeFileSync(file, text, { mode, flag: 'wx' });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    throw new CommandError('conflict', `${file} is already there and is never overwritten.`, {
      causes: ['choose another name or folder, or move the file away'],
      cause,
    });
  }
}
