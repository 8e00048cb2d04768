/** The cloud's side of file transfers, in memory: what it answers, and what S3 holds. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type FileAnswer,
  type FileDataKey,
  type FileDirection,
  type FileRejection,
  FileRequest,
  fileContext,
  PART_BYTES,
} from '@thingstead/contracts/files';
import { decryptFile } from '@thingstead/crypto/decrypt-file';
import { encryptFile } from '@thingstead/crypto/encrypt-file';
import * as v from 'valibot';
import type { ObjectStore } from '../../device/src/files/object-store.ts';
import { OtherObject, TryLater } from '../../device/src/files/transfer-error.ts';

export const THING = 'barn1';

interface Transfer {
  readonly direction: FileDirection;
  readonly name: string;
  readonly size: number;
  state: 'UPLOADING' | 'STORED' | 'DELIVERED' | 'FAILED' | 'CANCELLED';
  reason?: string;
  /** Of the object that was sent, if S3 has another. */
  etag?: string;
  /** What S3 holds. */
  parts: Map<number, Buffer>;
  object?: Buffer;
}
export type Transfers = Map<string, Transfer>;

const hash = (data: Uint8Array): string => createHash('sha256').update(data).digest('base64');

/** Keys are made of the id, so that a copy of this cloud has the same. */
function keyOf(id: string, direction: FileDirection): FileDataKey {
  const derived = (what: string): string => hash(Buffer.from(`${what} ${id}`));
  const context = fileContext({ stage: 'dev', thing: THING, transfer: id, direction });
  return { plaintext: derived('key'), wrapped: derived('wrapped'), keyArn: 'arn:aws:kms:us-east-1:1:key/a', context };
}

export class FilesCloud implements ObjectStore {
  readonly transfers: Transfers;
  /** Numbers of parts that were put, in order; ranges that were fetched, by their beginning. */
  readonly puts: number[] = [];
  readonly gets: number[] = [];
  /** Called before anything changes; throw to have the connection break there. */
  onPut: (number: number, bytes: number) => void = () => {};
  /** Called before anything comes; throw to have S3 refuse. */
  onGrant: () => void = () => {};
  /** How many bytes of a range come through, of so many. */
  onGet: (from: number, bytes: number) => number = (_, bytes) => bytes;
  /** What comes through of a chunk. */
  onChunk: (chunk: Buffer) => Buffer = (chunk) => chunk;
  /** A rejection instead of the answer. */
  onRequest: (id: string, type: string) => FileRejection | undefined = () => undefined;
  /** Called whenever something has changed. */
  changed: () => void = () => {};

  constructor(transfers: Transfers = new Map()) {
    this.transfers = transfers;
  }

  /** As it is now, for a device that comes back after a crash. */
  copy(): Transfers {
    return new Map([...this.transfers].map(([id, transfer]) => [id, { ...transfer, parts: new Map(transfer.parts) }]));
  }

  /** A person has sent a file. */
  async store(id: string, name: string, plain: Buffer): Promise<void> {
    const object = await buffer(encryptFile(Readable.from([plain]), keyOf(id, 'to-device')));
    const transfer: Transfer = { direction: 'to-device', name, size: plain.length, state: 'STORED', parts: new Map() };
    this.transfers.set(id, { ...transfer, object });
  }

  /** What a person gets who fetches a file from the device. */
  async fetch(id: string): Promise<Buffer> {
    const { object = Buffer.alloc(0) } = this.#transfer(id);
    return buffer(decryptFile(Readable.from([object]), keyOf(id, 'from-device')));
  }

  waiting(): readonly string[] {
    return [...this.transfers].flatMap(([id, { direction, state }]) =>
      direction === 'to-device' && state === 'STORED' ? id : [],
    );
  }

  offer(id: string): FileAnswer {
    const { name, size, object } = this.#transfer(id);
    return { type: 'offer', name, size, bytes: object?.length ?? 0 };
  }

  /** Undefined for nothing. */
  answer(id: string, message: unknown): FileAnswer | FileRejection | undefined {
    const request = v.parse(FileRequest, message);
    const rejection = this.onRequest(id, request.type);
    if (rejection) return rejection;
    const answer = this.#answer(id, request);
    this.changed();
    return answer;
  }

  async put({ url, body, bytes, signal }: Parameters<ObjectStore['put']>[0]) {
    const [id = '', number, sha256] = url.split(' ');
    const data = await buffer(body);
    await turn();
    signal.throwIfAborted();
    this.onPut(Number(number), bytes);
    this.puts.push(Number(number));
    if (data.length !== bytes || hash(data) !== sha256) return { status: 400, etag: '', code: 'BadDigest' };
    this.#transfer(id).parts.set(Number(number), data);
    this.changed();
    return { status: 200, etag: hash(data), code: '' };
  }

  async get({ url: id, etag, from, to, take, signal }: Parameters<ObjectStore['get']>[0]): Promise<void> {
    const { object = Buffer.alloc(0) } = this.#transfer(id);
    await turn();
    signal.throwIfAborted();
    if (etag !== hash(object)) throw new OtherObject('S3 has another object than the one that was sent');
    this.onGrant();
    this.gets.push(from);
    const end = from + this.onGet(from, to - from);
    for (let at = from; at < end; at += 4096) {
      await take(this.onChunk(object.subarray(at, Math.min(end, at + 4096))));
      signal.throwIfAborted();
    }
    if (end < to) throw new TryLater('the download broke off');
  }

  #transfer(id: string): Transfer {
    const transfer = this.transfers.get(id);
    if (!transfer) throw new Error(`there is no transfer ${id}`);
    return transfer;
  }

  #answer(id: string, request: v.InferOutput<typeof FileRequest>): FileAnswer | FileRejection {
    const { type } = request;
    const no = (code: FileRejection['code']): FileRejection => ({ type, code, reason: code, retry: false });
    const before = this.transfers.get(id);
    if (request.type === 'upload') {
      if (before && (before.name !== request.name || before.size !== request.size)) return no('invalid');
      const { name, size } = request;
      const transfer = before ?? { direction: 'from-device', name, size, state: 'UPLOADING', parts: new Map() };
      if (transfer.state === 'STORED') return { type: 'complete' };
      if (transfer.state !== 'UPLOADING') return no('wrong-state');
      this.transfers.set(id, transfer);
      const stored = [...transfer.parts].map(([number, data]) => ({ number, etag: hash(data), bytes: data.length }));
      return { type: 'upload', dataKey: keyOf(id, 'from-device'), partBytes: PART_BYTES, stored };
    }
    if (!before) return no('unknown-transfer');
    switch (request.type) {
      case 'parts':
        return {
          type: 'parts',
          urls: request.parts.map(({ number, sha256 }) => ({ number, url: `${id} ${number} ${sha256}`, headers: {} })),
          expiresAt: 0,
        };
      case 'complete': {
        if (before.state === 'STORED') return { type: 'complete' };
        const object = Buffer.concat(
          request.parts.map(({ number, etag }) => {
            const data = before.parts.get(number) ?? Buffer.alloc(0);
            return hash(data) === etag ? data : Buffer.alloc(0);
          }),
        );
        if (hash(object) !== request.sha256) return no('checksum');
        Object.assign(before, { state: 'STORED', object });
        return { type: 'complete' };
      }
      case 'download': {
        if (before.state !== 'STORED') return no('wrong-state');
        const { name, size, object = Buffer.alloc(0) } = before;
        const { length: bytes } = object;
        const about = { etag: before.etag ?? hash(object), bytes, sha256: hash(object) };
        return { type: 'download', name, size, dataKey: keyOf(id, 'to-device'), url: id, expiresAt: 0, ...about };
      }
      case 'received':
        if (before.state === 'DELIVERED') return { type: 'received' };
        if (before.state !== 'STORED' || request.size !== before.size) return no('wrong-state');
        before.state = 'DELIVERED';
        return { type: 'received' };
      case 'failed':
        if (before.state !== 'UPLOADING' && before.state !== 'STORED') return no('wrong-state');
        Object.assign(before, { state: 'FAILED', reason: request.reason });
        return { type: 'failed' };
      case 'progress':
        return { type: 'progress' };
      case 'pending':
        throw new Error('this has no id');
    }
  }
}
