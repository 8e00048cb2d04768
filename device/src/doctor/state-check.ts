import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import type { AgentConfig } from '../config.ts';
import { messageOf } from '../configuration-error.ts';
import { decodeEntries } from '../journal-format.ts';
import { OutboxState } from '../outbox-state.ts';
import { type Finding, fail, ok, skip, warn } from './finding.ts';

const MIB = 1024 * 1024;

/** The folder of the outbox: can it be written, is there room, what waits in it. Changes nothing. */
export function checkState({ outbox }: AgentConfig, folder: string): readonly Finding[] {
  if (outbox.memory)
    return [warn('state-directory', 'outbox.memory is true: readings do not survive a restart', 'leave it out')];
  const there = nearestFolder(folder);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    return [fail('state-directory', messageOf(error), `the agent's user must be able to write ${there}`)];
  }
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  const room = `${folder}, ${Math.floor(free / MIB)} MiB free`;
  const enough = free >= outbox.maxBytes;
  const advice = `the outbox may grow to ${Math.ceil(outbox.maxBytes / MIB)} MiB: make room, or lower outbox.maxBytes`;
  return [enough ? ok('state-directory', room) : warn('state-directory', room, advice), contents(folder)];
}

/** A folder that is not there yet is made by the agent, below the nearest one that is. */
export function nearestFolder(folder: string): string {
  return existsSync(folder) || folder === path.dirname(folder) ? folder : nearestFolder(path.dirname(folder));
}

function contents(folder: string): Finding {
  const check = 'outbox';
  const newest = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /^\d+\.journal$/.test(name))
        .sort()
        .at(-1)
    : undefined;
  if (newest === undefined) return ok(check, 'empty: no agent has run here yet');
  let file: Buffer;
  try {
    file = readFileSync(path.join(folder, newest));
  } catch (error) {
    return skip(check, messageOf(error));
  }
  const state = new OutboxState('doctor');
  const { entries, damaged } = decodeEntries(file);
  for (const entry of entries) state.apply(entry);
  const { size, dropped, setAside } = state;
  const text = `${size} readings wait, ${dropped} dropped, ${setAside} refused by the cloud, ${damaged + state.damaged} damaged places`;
  if (setAside > 0)
    return warn(check, text, 'the log says which: journalctl -u thingstead-agent | grep telemetry.set_aside');
  if (dropped > 0)
    return warn(check, text, 'the device was offline for longer than outbox.maxBytes or maxAgeHours allow');
  return ok(check, text);
}
