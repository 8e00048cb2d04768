import { accessSync, constants, statfsSync } from 'node:fs';
import type { AgentConfig } from '../config.ts';
import { messageOf } from '../configuration-error.ts';
import { type Finding, ok, warn } from './finding.ts';
import { nearestFolder } from './state-check.ts';

/** The folders of files that come and go: can they be written, and is there room. Nothing without them. Changes nothing. */
export function checkFiles({ files }: AgentConfig): readonly Finding[] {
  if (!files) return [];
  const folders = Object.entries({ incoming: files.incoming, outgoing: files.outgoing }).flatMap(([key, folder]) =>
    folder === undefined ? [] : [{ key, folder }],
  );
  return folders.map(({ key, folder }) => {
    const there = nearestFolder(folder);
    try {
      accessSync(there, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      const advice = `no file passes through it: the agent's user must be able to write ${there} (a service: ReadWritePaths=)`;
      return warn(`files-${key}`, messageOf(error), advice);
    }
    const { bavail, bsize } = statfsSync(there);
    if (bavail * bsize > files.minFreeBytes) return ok(`files-${key}`, folder);
    const text = `${folder}, ${bavail * bsize} bytes free`;
    return warn(`files-${key}`, text, 'transfers wait until more than files.minFreeBytes are free');
  });
}
