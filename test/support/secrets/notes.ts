/**
 * What one test run knows of secrets: every secret that its processes make, and what they have put out. Each process
 * appends JSON lines to files of its own in a folder that only its owner may read, and that goes away with the run.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/** Names the folder of this run to all processes that the tests start. Without it nothing is noted. */
export const FOLDER_VARIABLE = 'THINGSTEAD_TEST_SECRETS';

/** Shorter values are found by chance. */
export const SHORTEST_SECRET = 16;

export interface SecretNote {
  /** What kind of secret: "private key", "session token". */
  readonly slot: string;
  readonly base64: string;
}

export interface OutputNote {
  /** Where it was put out: "log of local/src/main.ts", "message in a queue". */
  readonly place: string;
  /** A byte is a character, so that binary output is kept as it is. */
  readonly text: string;
}

/** Notes a secret that must be found in no output. Too short ones are left out. */
export function noteSecret(slot: string, secret: string | Uint8Array): void {
  const bytes = Buffer.from(secret as Uint8Array);
  if (bytes.length >= SHORTEST_SECRET)
    append('secrets', { slot, base64: bytes.toString('base64') } satisfies SecretNote);
}

/** Notes something that others may read. */
export function noteOutput(place: string, output: string | Uint8Array): void {
  const bytes = Buffer.from(output as Uint8Array);
  if (bytes.length >= SHORTEST_SECRET)
    append('outputs', { place, text: bytes.toString('latin1') } satisfies OutputNote);
}

function append(kind: 'secrets' | 'outputs', note: SecretNote | OutputNote): void {
  const folder = process.env[FOLDER_VARIABLE];
  if (!folder) return;
  const file = path.join(folder, kind, `${process.pid}.jsonl`);
  const line = `${JSON.stringify(note)}\n`;
  try {
    appendFileSync(file, line, { mode: 0o600 });
  } catch (error) {
    if (Object(error).code !== 'ENOENT') throw error;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    appendFileSync(file, line, { mode: 0o600 });
  }
}
