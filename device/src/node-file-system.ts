import * as fs from 'node:fs';
import type { FileSystem, WritableFile } from './file-system.ts';

/** The machine's file system. Files are the user's own (mode 0600). */
export const nodeFileSystem: FileSystem = {
  makeDirectory: (directory) => {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  },
  list: (directory) => fs.readdirSync(directory),
  read: (file) => fs.readFileSync(file),
  create: (file) => writable(fs.openSync(file, 'w', 0o600)),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (file) => fs.unlinkSync(file),
  syncDirectory: (directory) => {
    const descriptor = fs.openSync(directory, 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  },
};

/** Appends through an open descriptor. */
export function writable(descriptor: number): WritableFile {
  return {
    write: (data) => {
      // A write may take less than it was given.
      for (let offset = 0; offset < data.length; ) offset += fs.writeSync(descriptor, data, offset);
    },
    sync: () => fs.fdatasyncSync(descriptor),
    close: () => fs.closeSync(descriptor),
  };
}
