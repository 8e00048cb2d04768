import { messageOf } from '../configuration-error.ts';
import type { Log } from '../log.ts';
import type { Session } from '../session.ts';
import type { SessionPart } from '../session-part.ts';
import type { FileChannel } from './file-channel.ts';
import type { IncomingFiles } from './incoming-files.ts';
import type { OutgoingFiles } from './outgoing-files.ts';
import type { TransferJournal } from './transfer-journal.ts';

export interface FileTransfersOptions {
  readonly channel: FileChannel;
  readonly journal: TransferJournal;
  readonly outgoing: OutgoingFiles;
  /** Absent when the device takes none. */
  readonly incoming: IncomingFiles | undefined;
  readonly log: Log;
}

/** Files in both directions, beside everything else that the agent does. */
export class FileTransfers implements SessionPart {
  readonly filters: readonly string[];
  readonly outgoing: OutgoingFiles;
  readonly #options: FileTransfersOptions;
  #isStarted = false;

  constructor(options: FileTransfersOptions) {
    this.#options = options;
    this.filters = options.channel.filters;
    this.outgoing = options.outgoing;
  }

  /** Goes on with what an earlier process has left. While its folder cannot be read nothing goes; every connection tries again. */
  start(): void {
    if (this.#isStarted) return;
    const { channel, journal, outgoing, incoming, log } = this.#options;
    try {
      for (const id of journal.load()) {
        log.warn('file.damaged', {
          message: 'what was remembered of this transfer cannot be read; it begins anew',
          id,
        });
      }
    } catch (error) {
      const message = 'the folder of transfers cannot be read; no file is sent or taken';
      log.error('file.not_kept', { message, reason: messageOf(error) });
      return;
    }
    this.#isStarted = true;
    channel.listen({
      offered: (id, offer) => incoming?.offered(id, offer),
      cancelled: (id) => {
        incoming?.cancelled(id);
        outgoing.cancelled(id);
      },
    });
    for (const record of journal.all()) {
      if (record.direction === 'from-device') outgoing.resume(record.id);
      else incoming?.resume(record.id);
    }
    outgoing.start();
  }

  on(session: Session, subscribed: () => Promise<boolean>, over: AbortSignal): void {
    this.start();
    this.#options.channel.on(session, subscribed, over);
  }

  async end(): Promise<void> {
    const { outgoing, incoming } = this.#options;
    await Promise.all([outgoing.end(), incoming?.end()]);
  }
}
