/**
 * What the outbox needs of a file system. Calls block: they are few and small, and an order of writes that is the order of
 * the program is what makes a crash analysable. All throw the error of the system (`EIO`, `ENOSPC`, `EROFS`).
 */
export interface FileSystem {
  /** Also makes its parents. */
  makeDirectory(directory: string): void;
  /** Names in a directory. */
  list(directory: string): string[];
  read(file: string): Buffer;
  /** An empty file, whatever was there before. */
  create(file: string): WritableFile;
  rename(from: string, to: string): void;
  remove(file: string): void;
  /** Returns when names that were created, renamed or removed in this directory survive a power cut. */
  syncDirectory(directory: string): void;
}

export interface WritableFile {
  /** Appends all of it. */
  write(data: Buffer): void;
  /** Returns when everything that was written survives a power cut. */
  sync(): void;
  close(): void;
}
