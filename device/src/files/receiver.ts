import { addAbortSignal, type Readable } from 'node:stream';
import type { FileAnswer } from '@thingstead/contracts/files';
import type { Clock } from '../clock.ts';
import { needRoom } from './disk-room.ts';
import type { FileChannel } from './file-channel.ts';
import type { LargeFiles } from './large-files.ts';
import type { ObjectStore } from './object-store.ts';
import { draftOf, targetFor } from './placing.ts';
import { Progress } from './progress.ts';
import { digestOf, writeSpool } from './spool.ts';
import { GiveUp, OtherObject, TryLater } from './transfer-error.ts';
import type { TransferJournal } from './transfer-journal.ts';
import type { IncomingRecord } from './transfer-record.ts';

/** What is lost of a download by a power cut, at most; a flash disk takes a second for it. */
const SYNC_BYTES = 4 * 1024 * 1024;
/** So often the whole is fetched again when it is not what was sent. */
const MAX_DAMAGED = 3;
const OTHER_HASH = 'what has arrived is not what was sent: another SHA-256';

export interface ReceiverOptions {
  readonly journal: TransferJournal;
  readonly files: LargeFiles;
  readonly objects: ObjectStore;
  readonly channel: Pick<FileChannel, 'ask' | 'tell'>;
  /** Where files appear. */
  readonly incoming: string;
  readonly maxBytes: number;
  readonly minFreeBytes: number;
  readonly clock: Clock;
  /** A smaller one for tests of power cuts. */
  readonly syncBytes?: number;
}

type Grant = Extract<FileAnswer, { type: 'download' }>;
type Downloading = Extract<IncomingRecord, { state: 'downloading' }>;
type Placing = Extract<IncomingRecord, { state: 'placing' }>;
type Received = Extract<IncomingRecord, { state: 'received' }>;

/**
 * Receives files: what is encrypted comes onto the disk, in as many pieces as it takes; only when it is there, and is what was sent, it is
 * decrypted, beside the folder of incoming files; there the whole file appears. The data key is nowhere but in memory.
 */
export class Receiver {
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /**
   * Goes on with a transfer until the file is in its place.
   *
   * @param record of an earlier run.
   * @throws TryLater, GiveUp, the reason of the signal; an error of the disk.
   */
  async receive(id: string, record: IncomingRecord | undefined, signal: AbortSignal): Promise<Received> {
    if (record?.state === 'received') return record;
    if (record?.state === 'placing') return this.#place(record);
    const grant = await this.#options.channel.ask(id, { type: 'download' }, signal);
    const begun = await this.#begin(id, record?.state === 'downloading' ? record : undefined, grant);
    const whole = await this.#download(begun, grant, signal);
    return this.#place(await this.#decrypt(whole, grant, signal));
  }

  async #begin(id: string, before: Downloading | undefined, grant: Grant): Promise<Downloading> {
    const { journal, files, incoming, maxBytes, minFreeBytes } = this.#options;
    const { name, size, bytes, sha256, etag } = grant;
    if (size > maxBytes) throw new GiveUp(`the device takes at most ${maxBytes} bytes; this file has ${size}`, true);
    // Frames and tags are small; what is a hundredth more than that is something else.
    if (bytes > size * 1.01 + 300_000) throw new GiveUp(`${bytes} bytes are too many for a file of ${size}`, true);
    const isSame = before && before.bytes === bytes && before.sha256 === sha256 && before.etag === etag;
    const synced = isSame ? before.synced : 0;
    await files.makeDirectory(incoming);
    await needRoom(files, journal.directory, bytes - synced + size, minFreeBytes);
    await needRoom(files, incoming, size, minFreeBytes);
    if (isSame) return before;
    const record: Downloading = {
      ...{ direction: 'to-device', state: 'downloading' },
      ...{ id, name, size, bytes, sha256, etag, synced: 0, damaged: before?.damaged ?? 0 },
    };
    journal.keep(record);
    return record;
  }

  async #download(record: Downloading, { url, etag }: Grant, signal: AbortSignal): Promise<Downloading> {
    const { journal, files, objects, channel, clock, syncBytes = SYNC_BYTES } = this.#options;
    const { id, bytes } = record;
    if (record.synced === bytes) return record;
    let { synced } = record;
    let at = synced;
    const reported = new Progress(clock, (now) => channel.tell(id, { type: 'progress', bytes: now }));
    const file = await files.write(journal.spool(id), synced);
    const sync = async (): Promise<void> => {
      if (at === synced) return;
      await file.sync();
      // Its name, too.
      if (synced === 0) await files.syncDirectory(journal.directory);
      synced = at;
      journal.keep({ ...record, synced });
    };
    const take = async (chunk: Buffer): Promise<void> => {
      await file.write(chunk);
      at += chunk.length;
      if (at - synced >= syncBytes) await sync();
      reported.at(at);
    };
    try {
      await objects.get({ url, etag, from: at, to: bytes, take, signal }).finally(sync);
      return { ...record, synced };
    } catch (error) {
      if (error instanceof OtherObject) return this.#damaged(record, error.message);
      throw error;
    } finally {
      await file.close();
    }
  }

  async #decrypt(record: Downloading, { dataKey }: Grant, signal: AbortSignal): Promise<Placing> {
    const { journal, files, incoming } = this.#options;
    const { id, name, size } = record;
    const spool = journal.spool(id);
    const read = (): Readable => addAbortSignal(signal, files.read(spool));
    const { sha256, bytes } = await digestOf(read());
    if (sha256 !== record.sha256 || bytes !== record.bytes) return this.#damaged(record, OTHER_HASH);
    const { decryptFile } = await import('@thingstead/crypto/decrypt-file');
    const draft = draftOf(incoming, id);
    await files.makeDirectory(draft.directory);
    const file = await files.write(draft.file, 0);
    try {
      const plain = await writeSpool(decryptFile(read(), dataKey), file);
      if (plain.bytes !== size) throw new GiveUp(`the file has ${plain.bytes} bytes, not ${size}`, true);
    } catch (error) {
      signal.throwIfAborted();
      throw isEncryptedFileError(error) ? new GiveUp(error.message, true, { cause: error }) : error;
    } finally {
      await file.close();
    }
    // When the record says that it is there, it has to be, after a power cut too.
    await files.syncDirectory(draft.directory);
    const target = await targetFor(files, incoming, name, id);
    const placing: Placing = { direction: 'to-device', id, name, size, state: 'placing', target };
    journal.keep(placing);
    return placing;
  }

  /** S3 has checked it when it came, the transport on the way: it was changed since, or the disk has lost it. */
  #damaged(record: Downloading, reason: string): never {
    const damaged = record.damaged + 1;
    if (damaged >= MAX_DAMAGED) throw new GiveUp(reason, true);
    this.#options.journal.keep({ ...record, synced: 0, damaged });
    throw new TryLater(reason);
  }

  async #place(record: Placing): Promise<Received> {
    const { journal, files, incoming } = this.#options;
    const { direction, id, name, size, target } = record;
    const draft = draftOf(incoming, id);
    // Without it, an earlier run has renamed it.
    if (await files.facts(draft.file)) await files.rename(draft.file, target);
    await files.syncDirectory(incoming);
    const received: Received = { direction, id, name, size, state: 'received', target, told: false, handled: false };
    journal.keep(received);
    await files.remove(journal.spool(id));
    return received;
  }
}

/** The class itself is loaded only with what decrypts. */
function isEncryptedFileError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'EncryptedFileError';
}
