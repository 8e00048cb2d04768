import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PART_BYTES } from '@thingstead/contracts/files';
import type { LargeFile } from './large-files.ts';

/** Length and SHA-256 (base64) of a file, and the SHA-256 of each of its parts. */
export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
  readonly parts: readonly string[];
}

/** Writes a stream to a file, and waits until it survives a power cut. Also counts and hashes it, as a whole and by parts. */
export async function writeSpool(source: Readable, file: LargeFile): Promise<Digest> {
  const digester = new Digester();
  for await (const chunk of source as AsyncIterable<Buffer>) {
    await file.write(chunk);
    // What waits for the disk is bounded by that.
    if (digester.add(chunk)) await file.sync();
  }
  await file.sync();
  return digester.end();
}

/** What a file is, read again. */
export async function digestOf(source: Readable): Promise<Digest> {
  const digester = new Digester();
  for await (const chunk of source as AsyncIterable<Buffer>) digester.add(chunk);
  return digester.end();
}

class Digester {
  readonly #all = createHash('sha256');
  readonly #parts: string[] = [];
  #part = createHash('sha256');
  #bytes = 0;

  /** True when a part came to its end. */
  add(chunk: Buffer): boolean {
    this.#all.update(chunk);
    let ended = false;
    for (let rest = chunk; rest.length > 0; ) {
      const room = PART_BYTES - (this.#bytes % PART_BYTES);
      const some = rest.subarray(0, room);
      this.#part.update(some);
      this.#bytes += some.length;
      rest = rest.subarray(some.length);
      if (this.#bytes % PART_BYTES === 0) {
        this.#endPart();
        ended = true;
      }
    }
    return ended;
  }

  end(): Digest {
    if (this.#bytes % PART_BYTES !== 0) this.#endPart();
    return { bytes: this.#bytes, sha256: this.#all.digest('base64'), parts: this.#parts };
  }

  #endPart(): void {
    this.#parts.push(this.#part.digest('base64'));
    this.#part = createHash('sha256');
  }
}
