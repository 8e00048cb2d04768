import * as fs from 'node:fs';
import { nodeFileSystem, writable } from '../node-file-system.ts';
import type { Entry, FirmwareFileSystem } from './firmware-file-system.ts';

const ANY_EXECUTE = 0o111;

/** The machine's file system. Files are the user's own (mode 0600, programs 0700). */
export const nodeFirmwareFileSystem: FirmwareFileSystem = {
  ...nodeFileSystem,
  entry: (path) => {
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    return stats && entryOf(stats, path);
  },
  readPart: (file, offset, length) => {
    const descriptor = fs.openSync(file, 'r');
    try {
      const data = Buffer.alloc(length);
      let read = 0;
      while (read < length) {
        const count = fs.readSync(descriptor, data, read, length - read, offset + read);
        if (count === 0) break;
        read += count;
      }
      return data.subarray(0, read);
    } finally {
      fs.closeSync(descriptor);
    }
  },
  overwrite: (file) => writable(fs.openSync(file, 'r+')),
  extend: (file, size) => {
    fs.closeSync(fs.openSync(file, 'a', 0o600));
    fs.truncateSync(file, size);
    return writable(fs.openSync(file, 'a', 0o600));
  },
  createExecutable: (file) => writable(fs.openSync(file, 'w', 0o700)),
  makeLink: (target, link) => fs.symlinkSync(target, link),
  removeAll: (path) => fs.rmSync(path, { recursive: true, force: true }),
  freeBytes: (directory) => {
    const { bavail, bsize } = fs.statfsSync(directory);
    return bavail * bsize;
  },
};

function entryOf(stats: fs.Stats, path: string): Entry {
  if (stats.isSymbolicLink()) return { kind: 'link', target: fs.readlinkSync(path) };
  if (stats.isDirectory()) return { kind: 'directory' };
  if (!stats.isFile()) return { kind: 'other' };
  return { kind: 'file', size: stats.size, executable: (stats.mode & ANY_EXECUTE) !== 0 };
}
