import { FileName } from '@thingstead/contracts/files';
import { validate } from '@thingstead/contracts/validate';
import type { Clock } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { Log } from '../log.ts';
import type { FileChannel } from './file-channel.ts';
import { FolderLook, type FolderLookOptions } from './folder-look.ts';
import type { LargeFiles } from './large-files.ts';
import type { OutgoingFolder, WaitingFile } from './outgoing-folder.ts';
import type { Sender } from './sender.ts';
import { Again, GiveUp } from './transfer-error.ts';
import type { TransferJournal } from './transfer-journal.ts';
import type { TransferQueue } from './transfer-queue.ts';
import type { OutgoingRecord } from './transfer-record.ts';

/** More wait in their folder. */
const MAX_TRANSFERS = 100;

/** How a transfer goes on. */
export type OutgoingNews =
  | { readonly kind: 'progress'; readonly bytes: number; readonly of: number }
  /** It is tried again later. */
  | { readonly kind: 'waits'; readonly reason: string }
  | { readonly kind: 'stored' }
  | { readonly kind: 'given-up'; readonly reason: string };

export interface OutgoingFilesOptions {
  readonly journal: TransferJournal;
  readonly sender: Sender;
  readonly queue: TransferQueue;
  readonly channel: Pick<FileChannel, 'ask'>;
  readonly files: LargeFiles;
  /** Absent when only what somebody asks for is sent. */
  readonly folder: OutgoingFolder | undefined;
  readonly watch: FolderLookOptions['watch'];
  readonly maxBytes: number;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Files from the device: those of the folder, and those that somebody asks for. */
export class OutgoingFiles {
  readonly #options: OutgoingFilesOptions;
  readonly #listeners = new Set<(id: string, news: OutgoingNews) => void>();
  readonly #folderLook: FolderLook | undefined;

  constructor(options: OutgoingFilesOptions) {
    this.#options = options;
    const { folder, watch, clock, log } = options;
    const take = (file: WaitingFile): Promise<boolean> => this.#take(file);
    this.#folderLook = folder && new FolderLook({ folder, watch, take, clock, log });
  }

  /** Looks into the folder, from now on. */
  start(): void {
    this.#folderLook?.start();
  }

  /**
   * Sends a file that stays where it is.
   *
   * @returns the id of the transfer. @throws Error that says what is wrong with the file.
   */
  async send(source: string, name: string, contentType = 'application/octet-stream'): Promise<string> {
    const { files, maxBytes, queue } = this.#options;
    const good = validate(FileName, name);
    if (!good.ok) throw new Error(`its name ${good.reason}`);
    const facts = await files.facts(source);
    if (!facts?.isFile) throw new Error(`${source} is no file`);
    if (facts.bytes > maxBytes)
      throw new Error(`it has ${facts.bytes} bytes; at most ${maxBytes} are sent (files.maxBytes)`);
    if (queue.size >= MAX_TRANSFERS) throw new Error(`${queue.size} files wait already`);
    return this.#add({ source, version: facts.version, size: facts.bytes, name, contentType, isOwn: false });
  }

  /** Tells of all transfers; gives what ends it. */
  onNews(listener: (id: string, news: OutgoingNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For the sender. */
  progress(id: string, bytes: number, of: number): void {
    this.#tellAll(id, { kind: 'progress', bytes, of });
  }

  resume(id: string): void {
    this.#options.queue.add(id, (cancelled, ended) => this.#work(id, cancelled, ended));
  }

  /** By a person, in the cloud. */
  cancelled(id: string): void {
    this.#options.queue.cancel(id, new GiveUp('it was cancelled', false));
  }

  /** Here. False when there is no such transfer. */
  cancel(id: string): boolean {
    if (!this.#options.queue.has(id)) return false;
    this.#options.queue.cancel(id, new GiveUp('it was cancelled on the device', true));
    return true;
  }

  async end(): Promise<void> {
    await Promise.all([this.#folderLook?.stop(), this.#options.queue.end()]);
  }

  /** There is another transfer of it. */
  #isClaimed(source: string, by = '', version?: string): boolean {
    return this.#options.journal
      .all()
      .some(
        (each) =>
          each.direction === 'from-device' &&
          each.id !== by &&
          each.source === source &&
          (version === undefined || each.version === version),
      );
  }

  async #take({ source, name, facts, isBadName }: WaitingFile): Promise<boolean> {
    const { folder, queue, maxBytes, newId, log } = this.#options;
    const { version, bytes } = facts;
    if (queue.size >= MAX_TRANSFERS) return false;
    if (this.#isClaimed(source, '', version)) return true;
    if (!isBadName && bytes <= maxBytes) {
      this.#add({ source, version, size: bytes, name, contentType: 'application/octet-stream', isOwn: true });
      return true;
    }
    const reason = isBadName ? 'no file can be called that in the cloud' : `${bytes} bytes are more than ${maxBytes}`;
    log.error('file.set_aside', { message: 'it is not sent', path: source, reason });
    await folder?.setAside(source, version, newId());
    return true;
  }

  #add(file: Pick<OutgoingRecord, 'source' | 'version' | 'size' | 'name' | 'contentType' | 'isOwn'>): string {
    const { journal, newId, log } = this.#options;
    const id = newId();
    journal.keep({ ...file, direction: 'from-device', id, state: 'new' });
    log.info('file.begun', { id, size: file.size, path: file.source });
    this.resume(id);
    return id;
  }

  #record(id: string): OutgoingRecord | undefined {
    const record = this.#options.journal.get(id);
    return record?.direction === 'from-device' ? record : undefined;
  }

  async #work(id: string, cancelled: AbortSignal, ended: AbortSignal): Promise<boolean> {
    const { sender, journal, log } = this.#options;
    try {
      const record = this.#record(id);
      if (record && record.state !== 'given-up' && record.state !== 'stored') {
        try {
          cancelled.throwIfAborted();
          await sender.send(record, AbortSignal.any([cancelled, ended]));
        } catch (error) {
          this.#giveUp(record, ended.aborted ? error : cancelled.aborted ? cancelled.reason : error);
        }
      }
      await this.#finish(this.#record(id), ended);
      journal.forget(id);
      return true;
    } catch (error) {
      if (ended.aborted) return false;
      log.warn('file.waits', { id, reason: messageOf(error) });
      this.#tellAll(id, { kind: 'waits', reason: messageOf(error) });
      return false;
    }
  }

  /** @throws the error when it may pass. */
  #giveUp(record: OutgoingRecord, error: unknown): void {
    const again = error instanceof Again;
    if (!again && !(error instanceof GiveUp)) throw error;
    const { direction, id, name, contentType, size, source, version, isOwn } = record;
    this.#options.journal.keep({
      ...{ direction, id, name, contentType, size, source, version, isOwn },
      ...{ state: 'given-up', reason: error.message, tell: again || error.tell, again },
    });
  }

  async #finish(record: OutgoingRecord | undefined, ended: AbortSignal): Promise<void> {
    const { folder, log } = this.#options;
    if (record?.state === 'stored') {
      if (record.isOwn) await folder?.remove(record.source, record.version);
      log.info('file.sent', { id: record.id, size: record.size, path: record.source });
      this.#tellAll(record.id, { kind: 'stored' });
    } else if (record?.state === 'given-up') {
      await this.#clear(record, ended);
    }
  }

  async #clear(record: Extract<OutgoingRecord, { state: 'given-up' }>, ended: AbortSignal): Promise<void> {
    const { folder, channel, files, log } = this.#options;
    const { id, reason, tell, again, source, version, isOwn } = record;
    log.warn('file.given_up', { id, reason, path: source, again });
    if (tell) {
      await channel.ask(id, { type: 'failed', reason: reason.slice(0, 500) }, ended).catch((error) => {
        // It has ended in the cloud, too.
        if (!(error instanceof GiveUp)) throw error;
      });
    }
    if (!again && isOwn) await folder?.setAside(source, version, id);
    // An earlier run may have come so far.
    const facts = again && !this.#isClaimed(source, id) ? await files.facts(source) : undefined;
    if (facts?.isFile) this.#add({ ...pick(record), version: facts.version, size: facts.bytes });
    this.#tellAll(id, { kind: 'given-up', reason });
  }

  #tellAll(id: string, news: OutgoingNews): void {
    for (const listener of this.#listeners) listener(id, news);
  }
}

function pick({ source, name, contentType, isOwn }: OutgoingRecord) {
  return { source, name, contentType, isOwn };
}
