import type { FileSystem, WritableFile } from '../file-system.ts';

/** What is at a path; links are not followed. */
export type Entry =
  | { readonly kind: 'file'; readonly size: number; readonly executable: boolean }
  | { readonly kind: 'directory' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' };

/** What updates need of a file system beside what the outbox needs. Calls block, and throw the error of the system. */
export interface FirmwareFileSystem extends FileSystem {
  /** Undefined when there is nothing. */
  entry(path: string): Entry | undefined;
  /** At most `length` bytes from `offset` on; fewer at the end. */
  readPart(file: string, offset: number, length: number): Buffer;
  /** Writes in place from the first byte on, and makes the file no shorter: a file of the same size needs no room for it. */
  overwrite(file: string): WritableFile;
  /** Writes behind the first `size` bytes, and throws away what is there. */
  extend(file: string, size: number): WritableFile;
  createExecutable(file: string): WritableFile;
  makeLink(target: string, link: string): void;
  /** Removes a file, a link, or a directory with all that is in it; it need not be there. */
  removeAll(path: string): void;
  /** Bytes that may still be written below a directory. */
  freeBytes(directory: string): number;
}
