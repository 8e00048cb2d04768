import { fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Where a process writes what is read while it runs: what was written before an answer is there by the time the answer is. A pipe
 * would be read some time later. It has no name, and goes with the last process that has it open.
 */
export class LogFile {
  /** For `stdio`. */
  readonly fd: number;

  constructor() {
    const folder = mkdtempSync(path.join(tmpdir(), 'thingstead-log-'));
    this.fd = openSync(path.join(folder, 'log'), 'a+');
    rmSync(folder, { recursive: true });
  }

  read(): string {
    const bytes = Buffer.alloc(fstatSync(this.fd).size);
    return bytes.toString('utf8', 0, readSync(this.fd, bytes, 0, bytes.length, 0));
  }
}
