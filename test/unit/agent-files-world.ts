/** File transfers of an agent on a disk that can lose power, against a cloud in memory. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { PENDING_TRANSFERS } from '@thingstead/contracts/files';
import { filesTopic } from '@thingstead/contracts/topics';
import { FileChannel } from '../../device/src/files/file-channel.ts';
import { FileTransfers } from '../../device/src/files/file-transfers.ts';
import { IncomingFiles } from '../../device/src/files/incoming-files.ts';
import type { LargeFiles } from '../../device/src/files/large-files.ts';
import { OutgoingFiles } from '../../device/src/files/outgoing-files.ts';
import { OutgoingFolder } from '../../device/src/files/outgoing-folder.ts';
import { Receiver } from '../../device/src/files/receiver.ts';
import { Sender } from '../../device/src/files/sender.ts';
import { TransferJournal } from '../../device/src/files/transfer-journal.ts';
import { TransferQueue } from '../../device/src/files/transfer-queue.ts';
import type { HandlerCall } from '../../device/src/handlers/handler.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FilesCloud, THING } from './agent-files-cloud.ts';
import { FakeSession, keptLog } from './agent-session.ts';
import { SimulatedDisk } from './outbox-disk.ts';

export const NOW = Date.parse('2026-06-01T00:00:00Z');
/** Files with this beginning are in the folder of outgoing files. */
export const OUT = 'out-';
/** Of what is encrypted: several in a small file. */
export const SYNC_BYTES = 10_000;

export const idOf = (number: number): string => `01J${String(number).padStart(23, '0')}`;

/** The disk's names have no folders: what is in which is seen from the name. */
export function largeFiles(disk: SimulatedDisk, freeBytes: () => number): LargeFiles {
  const nameOf = (file: string): string => path.basename(file);
  return {
    makeDirectory: async () => {},
    list: async () => [...disk.files.keys()].filter((name) => name.startsWith(OUT)),
    facts: async (file) => {
      const data = disk.files.get(nameOf(file));
      return data && { bytes: data.length, isFile: true, version: createHash('sha256').update(data).digest('hex') };
    },
    freeBytes: async () => freeBytes(),
    read: (file, from = 0, to = Number.POSITIVE_INFINITY) => {
      const data = disk.files.get(nameOf(file)) ?? Buffer.alloc(0);
      return Readable.from([data.subarray(from, to)]);
    },
    write: async (file, keep) => {
      const open = disk.extend(nameOf(file), keep);
      return {
        write: async (data) => open.write(data),
        sync: async () => open.sync(),
        close: async () => open.close(),
      };
    },
    rename: async (from, to) => disk.rename(from, to),
    remove: async (file) => {
      if (disk.files.has(nameOf(file))) disk.remove(file);
    },
    syncDirectory: async () => disk.syncDirectory(),
  };
}

export class FilesWorld {
  readonly disk: SimulatedDisk;
  readonly cloud: FilesCloud;
  readonly clock = new ManualClock(NOW);
  readonly log = keptLog();
  readonly handled: HandlerCall[] = [];
  readonly news: { readonly id: string; readonly kind: string }[] = [];
  freeBytes = 1e12;
  maxBytes = 1e9;
  /** What its handler does. */
  handler: (call: HandlerCall) => Promise<void> = () => Promise.resolve();
  transfers: FileTransfers;
  session: FakeSession | undefined;
  #ids: number;

  constructor(disk = new SimulatedDisk(), cloud = new FilesCloud(), firstId = 1) {
    this.disk = disk;
    this.cloud = cloud;
    this.#ids = firstId;
    this.transfers = this.#open();
  }

  /** kill -9, and a new process. */
  restart(): void {
    this.disconnect();
    this.transfers = this.#open();
  }

  connect(): FakeSession {
    const session = new FakeSession(`s${this.#ids}`);
    session.subscribed.push(...this.transfers.filters);
    session.onPublish = ({ topic, body }) => {
      setImmediate(() => this.#answer(session, topic.split('/')[3] ?? '', body));
      return { kind: 'acknowledged' };
    };
    const over = new AbortController();
    void session.closed.then(() => over.abort());
    this.transfers.on(session, () => Promise.resolve(true), over.signal);
    this.session = session;
    return session;
  }

  disconnect(): void {
    this.session?.lose();
    this.session = undefined;
  }

  /** The cloud says something by itself. */
  say(id: string, body: unknown): void {
    this.session?.deliver(`${filesTopic(THING, id)}/accepted`, body);
  }

  /** Waits until it is so; pauses of the agent pass. */
  async until(isSo: () => boolean, what = String(isSo)): Promise<void> {
    for (let turns = 0; !isSo(); turns += 1) {
      if (turns > 20_000) throw new Error(`this has not come: ${what}\n${JSON.stringify(this.log.lines, null, 1)}`);
      await turn();
      if (turns % 50 === 49) this.clock.advance(1000);
    }
  }

  /** So many transfers have come to their end, and nothing is remembered of any. */
  async ended(count = 1): Promise<void> {
    const ends = ['file.sent', 'file.received', 'file.given_up'];
    await this.until(() => this.log.lines.filter(({ event }) => ends.includes(event)).length >= count, 'an end');
    await this.forgotten();
  }

  /** Nothing is remembered of any transfer. */
  async forgotten(): Promise<void> {
    await this.until(() => ![...this.disk.files.keys()].some((name) => /\.(json|enc)$/.test(name)), 'an end');
  }

  /** Puts a file into the folder of outgoing files. */
  put(name: string, data: Buffer): void {
    const file = this.disk.create(`${OUT}${name}`);
    file.write(data);
    file.sync();
    this.disk.syncDirectory();
  }

  #answer(session: FakeSession, id: string, body: unknown): void {
    if (id === PENDING_TRANSFERS) {
      for (const each of this.cloud.waiting()) this.say(each, this.cloud.offer(each));
      return;
    }
    const answer = this.cloud.answer(id, body);
    if (answer) session.deliver(`${filesTopic(THING, id)}/${'code' in answer ? 'rejected' : 'accepted'}`, answer);
  }

  #open(): FileTransfers {
    const { clock, log, cloud: objects } = this;
    const random = (): number => 0;
    const files = largeFiles(this.disk, () => this.freeBytes);
    const journal = new TransferJournal(this.disk, 'files');
    const channel = new FileChannel({ thing: THING, takesFiles: true, clock, log, random });
    const common = { journal, files, objects, channel, minFreeBytes: 1000, clock };
    const outgoing: OutgoingFiles = new OutgoingFiles({
      ...{ journal, channel, files, clock, log, maxBytes: this.maxBytes },
      sender: new Sender({ ...common, progress: (...how) => outgoing.progress(...how) }),
      queue: new TransferQueue(clock, random),
      folder: new OutgoingFolder(files, 'outgoing'),
      watch: () => () => {},
      newId: () => idOf(this.#ids++),
    });
    const incoming = new IncomingFiles({
      ...{ journal, channel, files, log, directory: 'incoming', maxBytes: this.maxBytes },
      receiver: new Receiver({ ...common, incoming: 'incoming', maxBytes: this.maxBytes, syncBytes: SYNC_BYTES }),
      queue: new TransferQueue(clock, random),
      handler: async (call) => {
        this.handled.push(call);
        return this.handler(call);
      },
    });
    const transfers = new FileTransfers({ channel, journal, outgoing, incoming, log });
    outgoing.onNews((id, { kind }) => this.news.push({ id, kind }));
    transfers.start();
    return transfers;
  }
}
