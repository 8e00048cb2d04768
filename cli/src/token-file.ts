/** Sign-ins of people on this machine: tokens in files that only their user may read. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Tokens } from '@thingstead/client/people';
import * as v from 'valibot';
import { SECRET_MODE } from './new-file.ts';

const Stored = v.object({ access: v.string(), id: v.string(), refresh: v.string() });

export interface TokenFile {
  /** Undefined when there are none, or nothing that can be read. */
  read(): Tokens | undefined;
  write(tokens: Tokens): void;
  remove(): void;
}

/** Of one person at one user pool, below `$XDG_CONFIG_HOME/thingstead`, or `~/.config/thingstead`. */
export function tokenFile(userPoolId: string, email: string): TokenFile {
  const home = process.env.XDG_CONFIG_HOME || path.join(homedir(), '.config');
  const folder = path.join(home, 'thingstead', 'sign-ins');
  const name = createHash('sha256').update(`${userPoolId} ${email.toLowerCase()}`).digest('hex').slice(0, 32);
  const file = path.join(folder, `${name}.json`);
  return {
    read() {
      try {
        return v.parse(Stored, JSON.parse(readFileSync(file, 'utf8')));
      } catch {
        return undefined;
      }
    },
    /** At once, never half of it: another command may read it. */
    write(tokens) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const draft = `${file}.${process.pid}`;
      writeFileSync(draft, `${JSON.stringify(tokens)}\n`, { mode: SECRET_MODE });
      chmodSync(draft, SECRET_MODE);
      renameSync(draft, file);
    },
    remove: () => rmSync(file, { force: true }),
  };
}
