import { constants, createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import type { LargeFiles } from './large-files.ts';

/** What a stream reads ahead; more would only take memory. */
const READ_BYTES = 64 * 1024;

/** The machine's file system. Files are the user's own (mode 0600); no link is followed. */
export const nodeLargeFiles: LargeFiles = {
  makeDirectory: async (directory) => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  },
  list: (directory) => readdir(directory),
  facts: async (file) => {
    try {
      const { size, ino, mtimeMs, ...kind } = await lstat(file);
      return {
        bytes: size,
        isFile: (kind.mode & constants.S_IFMT) === constants.S_IFREG,
        version: `${ino}-${mtimeMs}`,
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  freeBytes: async (directory) => {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  },
  read: (file, from = 0, to = Number.POSITIVE_INFINITY) =>
    createReadStream(file, {
      // The system's words for these are numbers, the stream's type knows texts only.
      flags: (constants.O_RDONLY | constants.O_NOFOLLOW) as unknown as string,
      start: from,
      // The last byte, not the one after it.
      end: to - 1,
      highWaterMark: READ_BYTES,
    }),
  write: async (file, keep) => {
    const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      await handle.truncate(keep);
    } catch (error) {
      await handle.close();
      throw error;
    }
    let at = keep;
    return {
      write: async (data) => {
        // A write may take less than it was given.
        for (let done = 0; done < data.length; ) {
          const { bytesWritten } = await handle.write(data, done, data.length - done, at);
          done += bytesWritten;
          at += bytesWritten;
        }
      },
      sync: () => handle.datasync(),
      close: () => handle.close(),
    };
  },
  rename,
  remove: (file) => rm(file, { force: true }),
  syncDirectory: async (directory) => {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
