import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CommandError } from './command-error.ts';
import { STATE_FOLDER } from './target.ts';
import type { Pair } from './x509.ts';

/** Where CAs are kept when --dir is not given. */
export const DEFAULT_CA_DIR = path.join(STATE_FOLDER, 'ca');

export interface CaFolder {
  readonly folder: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** The files of a CA: `<dir>/<name>/ca.crt` and `ca.key`. @throws CommandError (usage) when the name is no file name. */
export function caFolder(name: string, dir: string): CaFolder {
  if (!/^[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,63}$/.test(name)) {
    throw new CommandError('usage', `"${name}" is no name for a CA.`, {
      causes: ['1 to 64 letters, digits, "_", "-" and "." are'],
    });
  }
  const folder = path.join(dir, name);
  return { folder, certificateFile: path.join(folder, 'ca.crt'), keyFile: path.join(folder, 'ca.key') };
}

/** @throws CommandError (not found) when there is no CA of that name. */
export function readCa(name: string, dir: string): Pair & CaFolder {
  const files = caFolder(name, dir);
  if (!existsSync(files.keyFile) || !existsSync(files.certificateFile)) {
    throw new CommandError('notFound', `There is no CA "${name}" in ${dir}.`, {
      next: `thingstead ca create --name ${name}${dir === DEFAULT_CA_DIR ? '' : ` --dir ${dir}`}`,
    });
  }
  return {
    ...files,
    certificate: readFileSync(files.certificateFile, 'utf8'),
    privateKey: readFileSync(files.keyFile, 'utf8'),
  };
}
