import path from 'node:path';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { FileSystem } from '../file-system.ts';
import { StateFile } from '../state-file.ts';

/** PEM. The key is absent when it is in a token, and stays there. */
export const CertificatePair = v.object({
  certificate: v.string(),
  key: v.optional(v.string()),
  /** The wish of an operator that it fulfils, epoch milliseconds. */
  wantedAt: v.optional(v.number()),
});
export type CertificatePair = v.InferOutput<typeof CertificatePair>;

/** What the device is on its way to. */
export const NextCertificate = v.object({
  key: v.optional(v.string()),
  /** PKCS#10, in PEM. */
  csr: v.optional(v.string()),
  /** Absent while it is asked for. */
  certificate: v.optional(v.string()),
});
export type NextCertificate = v.InferOutput<typeof NextCertificate>;

/** JSON, but named as what is in them: files that end so are kept out of backups and of sight. */
const CURRENT = 'current.key';
const NEXT = 'next.key';

/**
 * The certificates that the device got since it left the factory, each with its key in one file (mode 0600), so that no power cut can part them. What
 * the configuration names is never written to. Both files are there as a whole or not at all. INVARIANT: the next pair becomes the current one by a new
 * file, and goes only when that file is certain.
 */
export class CertificateStore {
  readonly #fs: FileSystem;
  readonly #directory: string;

  /** @param directory of these files alone. */
  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  /** The folder's path beside the outbox of a device. */
  static folderIn(folder: string): string {
    return path.join(folder, 'certificate');
  }

  get currentFile(): string {
    return path.join(this.#directory, CURRENT);
  }

  /** Undefined when there is none, or it cannot be read. */
  current(): CertificatePair | undefined {
    const read = validate(CertificatePair, this.#file(CURRENT).read());
    return read.ok ? read.value : undefined;
  }

  next(): NextCertificate | undefined {
    const read = validate(NextCertificate, this.#file(NEXT).read());
    return read.ok ? read.value : undefined;
  }

  /** Returns when it survives a power cut. @throws the error of the system; what was there before is still there. */
  putNext(next: NextCertificate): void {
    this.#file(NEXT).write(next);
  }

  /** The next pair is the current one from now on. @throws the error of the system; then it may be tried again. */
  commit(pair: CertificatePair): void {
    this.#file(CURRENT).write(pair);
    this.dropNext();
  }

  /** @throws the error of the system. */
  dropNext(): void {
    if (!this.#fs.list(this.#directory).includes(NEXT)) return;
    this.#fs.remove(path.join(this.#directory, NEXT));
    this.#fs.syncDirectory(this.#directory);
  }

  #file(name: string): StateFile {
    return new StateFile(this.#fs, this.#directory, name);
  }
}
