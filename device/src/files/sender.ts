import { addAbortSignal } from 'node:stream';
import { type KeptParts, PART_BYTES, URL_SECONDS, type WantedParts } from '@thingstead/contracts/files';
import type { Clock } from '../clock.ts';
import { needRoom } from './disk-room.ts';
import type { FileChannel } from './file-channel.ts';
import type { LargeFiles } from './large-files.ts';
import type { ObjectStore } from './object-store.ts';
import { Progress, partsToAsk } from './progress.ts';
import { digestOf, writeSpool } from './spool.ts';
import { Again, GiveUp, TryLater } from './transfer-error.ts';
import type { TransferJournal } from './transfer-journal.ts';
import type { OutgoingRecord } from './transfer-record.ts';

/** What a file grows by in small frames: asked for before the key is known. */
const OVERHEAD_BYTES = 4096;
/** A URL that is older is not begun with. The clock of the device may be wrong; how long something took it knows. */
const URL_MS = URL_SECONDS * 750;

export interface SenderOptions {
  readonly journal: TransferJournal;
  readonly files: LargeFiles;
  readonly objects: ObjectStore;
  readonly channel: Pick<FileChannel, 'ask' | 'tell'>;
  readonly minFreeBytes: number;
  readonly clock: Clock;
  /** Encrypted bytes that S3 has, of a transfer. */
  readonly progress: (id: string, bytes: number, of: number) => void;
}

type New = Extract<OutgoingRecord, { state: 'new' }>;
type Sending = Extract<OutgoingRecord, { state: 'sending' }>;

/**
 * Sends files: encrypts each once, onto the disk, and puts it into S3 part by part. What S3 has it need not have again, however often the
 * connection or the agent ends in between. The data key is nowhere but in memory, and only while it encrypts.
 */
export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * Goes on with a transfer until the cloud has it: then its record is `stored`.
   *
   * @throws TryLater, GiveUp, Again, the reason of the signal; an error of the disk.
   */
  async send(record: OutgoingRecord, signal: AbortSignal): Promise<void> {
    const sending = record.state === 'new' ? await this.#encrypt(record, signal) : record;
    if (sending.state === 'sending') await this.#upload(sending, signal);
  }

  async #encrypt(record: New, signal: AbortSignal): Promise<OutgoingRecord> {
    const { journal, files, channel, minFreeBytes } = this.#options;
    const { id, name, contentType, size } = record;
    await this.#checkSource(record);
    await needRoom(files, journal.directory, size + OVERHEAD_BYTES, minFreeBytes);
    const answer = await channel.ask(id, { type: 'upload', name, contentType, size }, signal);
    if (answer.type === 'complete') return this.#stored(record);
    if (answer.stored.length > 0) throw new Again('S3 has parts of it that are not on the disk any more');
    const { encryptedFileBytes, encryptFile } = await import('@thingstead/crypto/encrypt-file');
    await needRoom(files, journal.directory, encryptedFileBytes(size, answer.dataKey), minFreeBytes);
    const plain = addAbortSignal(signal, files.read(record.source));
    const file = await files.write(journal.spool(id), 0);
    try {
      const digest = await writeSpool(encryptFile(plain, answer.dataKey), file);
      signal.throwIfAborted();
      await this.#checkSource(record);
      await files.syncDirectory(journal.directory);
      const { direction, source, version, isOwn } = record;
      const base = { direction, id, name, contentType, size, source, version, isOwn };
      const sending: Sending = { ...base, state: 'sending', ...digest, parts: [...digest.parts] };
      journal.keep(sending);
      return sending;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      await file.close();
    }
  }

  /** @throws GiveUp when it is not there any more, Again when it is another by now. */
  async #checkSource({ source, version, size }: New): Promise<void> {
    const facts = await this.#options.files.facts(source);
    if (!facts?.isFile) throw new GiveUp(`${source} is not there any more`, true);
    if (facts.version !== version || facts.bytes !== size) throw new Again(`${source} has changed`);
  }

  async #upload(record: Sending, signal: AbortSignal): Promise<void> {
    const { channel } = this.#options;
    const { id, name, contentType, size, bytes, sha256 } = record;
    const answer = await channel.ask(id, { type: 'upload', name, contentType, size }, signal);
    if (answer.type === 'upload') {
      const etags = stored(record, answer.stored);
      await this.#sendParts(record, etags, signal);
      const parts = record.parts.map((_, index) => ({ number: index + 1, etag: etags.get(index + 1) ?? '' }));
      await this.#complete(record, { type: 'complete', parts, bytes, sha256 }, signal);
    }
    this.#stored(record);
  }

  async #complete(
    { id }: Sending,
    request: Parameters<FileChannel['ask']>[1] & { readonly type: 'complete' },
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#options.channel.ask(id, request, signal);
    } catch (error) {
      if (error instanceof GiveUp && error.message.includes('(checksum)')) throw new Again(error.message);
      throw error;
    }
  }

  async #sendParts(record: Sending, etags: Map<number, string>, signal: AbortSignal): Promise<void> {
    const { channel, clock, progress } = this.#options;
    const { id, bytes } = record;
    const done = (): number => [...etags.keys()].reduce((sum, number) => sum + partOf(record, number).bytes, 0);
    const reported = new Progress(clock, (now) => {
      progress(id, now, bytes);
      channel.tell(id, { type: 'progress', bytes: now });
    });
    reported.at(done());
    let atOnce = 1;
    for (;;) {
      const missing = record.parts.map((_, index) => index + 1).filter((number) => !etags.has(number));
      if (missing.length === 0) return;
      const parts = missing.slice(0, atOnce).map((number) => partOf(record, number));
      const { urls } = await channel.ask(id, { type: 'parts', parts }, signal);
      const since = clock.uptime();
      for (const { number, url, headers } of urls) {
        const part = parts.find((each) => each.number === number);
        // What is left of an answer that took too long is asked for again.
        if (!part || clock.uptime() - since > URL_MS) break;
        etags.set(number, await this.#sendPart(record, part, { url, headers }, signal));
        reported.at(done());
      }
      if (!parts.some(({ number }) => etags.has(number))) throw new TryLater('the cloud gives no URLs for the parts');
      atOnce = partsToAsk(parts.length, clock.uptime() - since);
    }
  }

  async #sendPart(
    record: Sending,
    { number, bytes, sha256 }: WantedParts[number],
    to: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<string> {
    const { files, journal, objects } = this.#options;
    const from = (number - 1) * PART_BYTES;
    const read = () => files.read(journal.spool(record.id), from, from + bytes);
    const { status, etag, code } = await objects.put({ ...to, body: read(), bytes, signal });
    if (status === 200 && etag !== '') return etag;
    // S3 compares what it gets with the hash that was signed: the disk may have lost what it had.
    if (status === 400 && (await digestOf(read())).sha256 !== sha256) throw new Again('the disk has damaged it');
    throw new TryLater(`S3 answers ${status}: ${code}`);
  }

  #stored(record: New | Sending): OutgoingRecord {
    const { direction, id, name, contentType, size, source, version, isOwn } = record;
    const kept: OutgoingRecord = {
      ...{ direction, id, name, contentType, size, source, version, isOwn },
      state: 'stored',
    };
    this.#options.journal.keep(kept);
    return kept;
  }
}

function partOf({ bytes, parts }: Sending, number: number): WantedParts[number] {
  const length = Math.min(PART_BYTES, bytes - (number - 1) * PART_BYTES);
  return { number, bytes: length, sha256: parts[number - 1] ?? '' };
}

/** Parts that S3 has whole, with their entity tags. */
function stored(record: Sending, parts: KeptParts): Map<number, string> {
  const whole = parts.filter(({ number, bytes }) => bytes === partOf(record, number).bytes);
  return new Map(whole.map(({ number, etag }) => [number, etag]));
}
