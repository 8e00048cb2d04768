import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { createHandler } from '../handlers/handler.ts';
import type { StateConfig } from './state-config.ts';

/** Makes the device be as it should; rejects when that fails. */
export type Applier = (value: unknown, signal: AbortSignal) => Promise<unknown>;

/** What is printed is not looked at. */
const MAX_OUTPUT = 1024;

/** The appliers of a configuration by the names of their members. */
export function createAppliers(config: StateConfig, clock: Clock): ReadonlyMap<string, Applier> {
  return new Map(
    Object.entries(config).map(([name, { file, scale, simulator, ...handler }]): [string, Applier] => {
      if (simulator) return [name, () => Promise.resolve()];
      if (file !== undefined) return [name, (value) => write(file, textOf(value, scale))];
      const handle = createHandler(handler, MAX_OUTPUT, clock);
      const environment = { THINGSTEAD_STATE: name };
      return [name, (value, signal) => handle({ input: value, about: { name }, environment, signal })];
    }),
  );
}

/** Files of the kernel take `1` and `0` for on and off. */
function textOf(value: unknown, scale: number | undefined): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number') return String(scale === undefined ? value : Math.round(value * scale));
  if (typeof value === 'string') return value;
  throw new Error('a file takes a number, a boolean or a text');
}

/** Makes no file: a device that is not there must not look as if it had obeyed. */
async function write(path: string, text: string): Promise<void> {
  // Without O_NONBLOCK a named pipe would hold the writer until somebody reads.
  const file = await open(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NONBLOCK);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
