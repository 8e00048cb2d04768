import { randomBytes } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import type { Clock } from '../clock.ts';
import { createHandler } from '../handlers/handler.ts';
import type { Log } from '../log.ts';
import { nodeFileSystem } from '../node-file-system.ts';
import { FileChannel } from './file-channel.ts';
import { FileTransfers } from './file-transfers.ts';
import type { FilesConfig } from './files-config.ts';
import { IncomingFiles } from './incoming-files.ts';
import { nodeLargeFiles as files } from './node-large-files.ts';
import { httpObjectStore } from './object-store.ts';
import { OutgoingFiles } from './outgoing-files.ts';
import { OutgoingFolder } from './outgoing-folder.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { TransferJournal } from './transfer-journal.ts';
import { TransferQueue } from './transfer-queue.ts';

/** What a handler prints is of no interest. */
const MAX_HANDLER_BYTES = 4096;

export interface FilesOptions {
  readonly thing: string;
  readonly config: FilesConfig;
  /** Where state is kept. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Files over the machine's file system and HTTP, at work already. */
export function openFiles({ thing, config, folder, clock, log }: FilesOptions): FileTransfers {
  const { incoming: incomingDirectory, outgoing: outgoingDirectory, maxBytes, minFreeBytes } = config;
  const journal = new TransferJournal(nodeFileSystem, path.join(folder, 'files'));
  const channel = new FileChannel({ thing, takesFiles: incomingDirectory !== undefined, clock, log });
  const objects = httpObjectStore(clock);
  const common = { journal, files, objects, channel, minFreeBytes, clock };
  const sender = new Sender({ ...common, progress: (...how) => outgoing.progress(...how) });
  const outgoing = new OutgoingFiles({
    ...{ journal, sender, channel, files, maxBytes, clock, log },
    queue: new TransferQueue(clock),
    folder: outgoingDirectory === undefined ? undefined : new OutgoingFolder(files, outgoingDirectory),
    watch: (changed) => watchFolder(outgoingDirectory ?? '', changed),
    newId: () => ulidOf(clock.now(), randomBytes(ULID_RANDOM_BYTES)),
  });
  const incoming =
    incomingDirectory === undefined
      ? undefined
      : new IncomingFiles({
          ...{ journal, channel, files, log, maxBytes, directory: incomingDirectory },
          receiver: new Receiver({ ...common, incoming: incomingDirectory, maxBytes }),
          queue: new TransferQueue(clock),
          handler: config.handler && createHandler(config.handler, MAX_HANDLER_BYTES, clock),
        });
  const transfers = new FileTransfers({ channel, journal, outgoing, incoming, log });
  transfers.start();
  return transfers;
}

/** Where the system cannot tell, the folder is looked at every now and then. */
function watchFolder(directory: string, changed: () => void): () => void {
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(directory, { persistent: false }, changed);
    watcher.on('error', () => {});
  } catch {
    // It may not be there yet.
  }
  return () => watcher?.close();
}
