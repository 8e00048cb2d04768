import type { Readable } from 'node:stream';

export interface FileFacts {
  readonly bytes: number;
  /** No folder, link, device or pipe. */
  readonly isFile: boolean;
  /** Another when the name stands for another file, or the file has changed. */
  readonly version: string;
}

/**
 * Files that are too large for memory, and for calls that hold up the readings. All reject with the error of the system (`ENOSPC`,
 * `EACCES`).
 */
export interface LargeFiles {
  /** Also makes its parents. */
  makeDirectory(directory: string): Promise<void>;
  /** Names in a directory. */
  list(directory: string): Promise<string[]>;
  /** Undefined when there is nothing of this name. */
  facts(file: string): Promise<FileFacts | undefined>;
  /** Bytes that this user may still write where the directory is. */
  freeBytes(directory: string): Promise<number>;
  /** From byte `from`, to before byte `to`. */
  read(file: string, from?: number, to?: number): Readable;
  /** Opens it behind its first `keep` bytes, and forgets what was there; makes it (0600) when it is not there. */
  write(file: string, keep: number): Promise<LargeFile>;
  rename(from: string, to: string): Promise<void>;
  /** Also when it is not there. */
  remove(file: string): Promise<void>;
  /** Resolves when names that were made, renamed or removed in this directory survive a power cut. */
  syncDirectory(directory: string): Promise<void>;
}

export interface LargeFile {
  /** Appends all of it. */
  write(data: Buffer): Promise<void>;
  /** Resolves when everything that was written survives a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
