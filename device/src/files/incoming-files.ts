import { messageOf } from '../configuration-error.ts';
import type { Handler } from '../handlers/handler.ts';
import type { Log } from '../log.ts';
import type { FileChannel } from './file-channel.ts';
import type { LargeFiles } from './large-files.ts';
import { draftOf } from './placing.ts';
import type { Receiver } from './receiver.ts';
import { GiveUp } from './transfer-error.ts';
import type { TransferJournal } from './transfer-journal.ts';
import type { TransferQueue } from './transfer-queue.ts';
import type { IncomingRecord } from './transfer-record.ts';

/** More are not remembered; the cloud offers them again. */
const MAX_TRANSFERS = 100;

export interface IncomingFilesOptions {
  readonly journal: TransferJournal;
  readonly receiver: Receiver;
  readonly queue: TransferQueue;
  readonly channel: Pick<FileChannel, 'ask' | 'askForWaiting'>;
  readonly files: LargeFiles;
  readonly directory: string;
  readonly maxBytes: number;
  /** Runs for each file once it is in its place. */
  readonly handler: Handler | undefined;
  readonly log: Log;
}

/** Files for the device, from the offer until the cloud knows that they have arrived. */
export class IncomingFiles {
  readonly #options: IncomingFilesOptions;
  #missed = false;

  constructor(options: IncomingFilesOptions) {
    this.#options = options;
  }

  /** The cloud has a file for the device; it says so again and again. One that is too large is refused without asking for its key. */
  offered(id: string, { size }: { readonly size: number }): void {
    const { queue, maxBytes, log } = this.#options;
    if (queue.has(id)) return;
    if (queue.size >= MAX_TRANSFERS) {
      this.#missed = true;
      return;
    }
    try {
      const reason = `the device takes at most ${maxBytes} bytes; this file has ${size}`;
      if (size > maxBytes && !this.#record(id)) this.#giveUp(id, new GiveUp(reason, true));
    } catch (error) {
      log.warn('file.waits', { id, reason: messageOf(error) });
    }
    this.resume(id);
  }

  resume(id: string): void {
    this.#options.queue.add(id, (cancelled, ended) => this.#work(id, cancelled, ended));
  }

  cancelled(id: string): void {
    this.#options.queue.cancel(id, new GiveUp('it was cancelled', false));
  }

  end(): Promise<void> {
    return this.#options.queue.end();
  }

  #record(id: string): IncomingRecord | undefined {
    const record = this.#options.journal.get(id);
    return record?.direction === 'to-device' ? record : undefined;
  }

  async #work(id: string, cancelled: AbortSignal, ended: AbortSignal): Promise<boolean> {
    const { receiver, journal, channel, log } = this.#options;
    try {
      let record = this.#record(id);
      if (record?.state !== 'given-up' && record?.state !== 'received') {
        try {
          cancelled.throwIfAborted();
          record = await receiver.receive(id, record, AbortSignal.any([cancelled, ended]));
        } catch (error) {
          record = this.#giveUp(id, ended.aborted ? undefined : cancelled.aborted ? cancelled.reason : error);
          if (!record) throw error;
        }
      }
      if (record.state === 'received') await this.#finish(record, ended);
      else if (record.state === 'given-up') await this.#clear(record, ended);
      journal.forget(id);
    } catch (error) {
      if (!ended.aborted) log.warn('file.waits', { id, reason: messageOf(error) });
      return false;
    }
    if (this.#missed) void channel.askForWaiting();
    this.#missed = false;
    return true;
  }

  /** Undefined for an error that may pass. */
  #giveUp(id: string, error: unknown): IncomingRecord | undefined {
    if (!(error instanceof GiveUp)) return undefined;
    const { name, size } = this.#record(id) ?? { name: id, size: 0 };
    const record: IncomingRecord = {
      ...{ direction: 'to-device', id, name, size },
      ...{ state: 'given-up', reason: error.message, tell: error.tell },
    };
    this.#options.journal.keep(record);
    return record;
  }

  async #finish(record: Extract<IncomingRecord, { state: 'received' }>, ended: AbortSignal): Promise<void> {
    const { journal, log } = this.#options;
    const { id, size, target } = record;
    let now = record;
    const keep = (change: Partial<typeof record>): void => {
      now = { ...now, ...change };
      journal.keep(now);
    };
    const handle = async (): Promise<void> => {
      if (record.handled) return;
      log.info('file.received', { id, size, path: target });
      await this.#handle(record, ended);
      if (!ended.aborted) keep({ handled: true });
    };
    const tell = async (): Promise<void> => {
      if (record.told) return;
      await this.#tell(id, { type: 'received', size }, ended);
      keep({ told: true });
    };
    await Promise.all([handle(), tell()]);
    ended.throwIfAborted();
  }

  async #handle({ id, name, size, target }: IncomingRecord & { readonly target: string }, ended: AbortSignal) {
    const { handler, log } = this.#options;
    const environment = { THINGSTEAD_FILE: target, THINGSTEAD_FILE_NAME: name, THINGSTEAD_TRANSFER_ID: id };
    const call = { input: { path: target, name, size }, about: { id }, environment, signal: ended };
    await handler?.(call).catch((error) => {
      if (!ended.aborted) log.error('file.handler_failed', { id, path: target, reason: messageOf(error) });
    });
  }

  async #clear(
    { id, reason, tell }: Extract<IncomingRecord, { state: 'given-up' }>,
    ended: AbortSignal,
  ): Promise<void> {
    const { files, directory, log } = this.#options;
    log.warn('file.given_up', { id, reason });
    if (tell) await this.#tell(id, { type: 'failed', reason: reason.slice(0, 500) }, ended);
    await files.remove(draftOf(directory, id).file);
  }

  /** What the cloud does not want to hear it knows, or does not care about. */
  async #tell(id: string, request: Parameters<FileChannel['ask']>[1], ended: AbortSignal): Promise<void> {
    await this.#options.channel.ask(id, request, ended).catch((error) => {
      if (!(error instanceof GiveUp)) throw error;
    });
  }
}
