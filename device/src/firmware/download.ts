/** One try to fetch an image: never a byte more than was signed, and never slower than is bearable. */
import path from 'node:path';
import type { UpdateFailure } from '@thingstead/contracts/firmware';
import type { Clock } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { FirmwareFileSystem } from './firmware-file-system.ts';
import type { HttpGet, HttpResponse } from './http-get.ts';

/** After so many bytes what has come is made certain: so much is fetched again after a power cut at most. */
const SYNC_BYTES = 4 * 1024 * 1024;

export interface DownloadOptions {
  readonly get: HttpGet;
  readonly fs: FirmwareFileSystem;
  readonly clock: Clock;
  readonly url: string;
  /** The object that was granted, with its quotes as S3 writes it. */
  readonly etag: string;
  /** As the release says. */
  readonly size: number;
  readonly file: string;
  /** So much of it is there already. */
  readonly from: number;
  /** At least so many bytes come in each window. */
  readonly slowest: { readonly bytes: number; readonly windowMs: number };
  /** So much is on the disk for certain. @throws the error of the system. */
  readonly synced: (bytes: number) => void;
  readonly signal: AbortSignal;
}

export type DownloadResult =
  | { readonly kind: 'whole' }
  /** Nothing that is tried again will be better. */
  | { readonly kind: 'refused'; readonly failure: UpdateFailure; readonly reason: string }
  /** The grant is over. */
  | { readonly kind: 'expired'; readonly reason: string }
  /** It may go on from where it is; `failure` when it does so again and again. */
  | {
      readonly kind: 'cut';
      readonly failure: UpdateFailure;
      readonly reason: string;
      /** What is there is of no use. */
      readonly startOver?: boolean;
    };

/** Fetches what is missing. Rejects with the error of the system when the disk refuses. */
export async function downloadImage(options: DownloadOptions): Promise<DownloadResult> {
  const { get, clock, url, etag, from, slowest, signal } = options;
  if (from === options.size) return { kind: 'whole' };
  const stop = new AbortController();
  const ended = (): void => stop.abort();
  signal.addEventListener('abort', ended, { once: true });
  if (signal.aborted) stop.abort();
  let slow = false;
  let last = 0;
  let received = 0;
  let cancel = (): void => {};
  const watch = (): void => {
    cancel = clock.after(slowest.windowMs, () => {
      slow = received - last < slowest.bytes;
      last = received;
      if (slow) stop.abort();
      else watch();
    });
  };
  watch();
  try {
    const headers = { 'if-match': etag, ...(from > 0 && { range: `bytes=${from}-` }) };
    const response = await get(url, headers, stop.signal);
    const refused = judge(response, options);
    if (refused) return refused;
    return await take(response, options, stop, (count) => {
      received += count;
    });
  } catch (error) {
    if (error instanceof DiskError) throw error.cause;
    if (slow) {
      const reason = `fewer than ${slowest.bytes} bytes came within ${slowest.windowMs / 1000} s`;
      return { kind: 'cut', failure: 'slow-retrieval', reason };
    }
    return { kind: 'cut', failure: 'truncated', reason: messageOf(error) };
  } finally {
    cancel();
    signal.removeEventListener('abort', ended);
    stop.abort();
  }
}

/** What is wrong with a response before its body is read; undefined when it is the one that was asked for. */
function judge({ status, headers }: HttpResponse, { etag, size, from }: DownloadOptions): DownloadResult | undefined {
  if (status === 401 || status === 403 || status === 404)
    return { kind: 'expired', reason: `the server says ${status}` };
  if (status === 412) return { kind: 'refused', failure: 'mix-and-match', reason: 'the server has another image' };
  if (status === 416) return { kind: 'cut', failure: 'truncated', reason: 'the server has less', startOver: true };
  if (status >= 300 && status < 400) {
    return {
      kind: 'cut',
      failure: 'arbitrary-software',
      reason: `the server sends elsewhere (${status}), which is not followed`,
    };
  }
  if (status !== 200 && status !== 206)
    return { kind: 'cut', failure: 'truncated', reason: `the server says ${status}` };
  if (headers.etag !== undefined && headers.etag !== etag) {
    return {
      kind: 'refused',
      failure: 'mix-and-match',
      reason: `the server sends the object ${headers.etag}, not ${etag}`,
    };
  }
  if (from > 0 && status === 200) {
    return { kind: 'cut', failure: 'truncated', reason: 'the server sends no ranges', startOver: true };
  }
  const [, first, , total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(headers['content-range'])) ?? [];
  if (status === 206 && (Number(first) !== from || total === undefined)) {
    return { kind: 'cut', failure: 'truncated', reason: 'the server sends another range', startOver: true };
  }
  const length = headers['content-length'];
  const promised = total === undefined ? (length === undefined ? size : Number(length)) : Number(total);
  if (promised > size)
    return { kind: 'refused', failure: 'oversize', reason: `the server has ${promised} bytes, the release ${size}` };
  if (promised < size)
    return { kind: 'refused', failure: 'truncated', reason: `the server has ${promised} bytes, the release ${size}` };
  return undefined;
}

async function take(
  { body }: HttpResponse,
  { fs, file, from, size, synced }: DownloadOptions,
  stop: AbortController,
  count: (bytes: number) => void,
): Promise<DownloadResult> {
  const output = onDisk(() => fs.extend(file, from));
  let bytes = from;
  let certain = from;
  try {
    for await (const chunk of body) {
      if (bytes + chunk.length > size) {
        stop.abort();
        return {
          kind: 'refused',
          failure: 'endless-data',
          reason: `the server sends more than the ${size} bytes of the release`,
        };
      }
      onDisk(() => output.write(chunk));
      bytes += chunk.length;
      count(chunk.length);
      if (bytes - certain < SYNC_BYTES) continue;
      sync();
    }
  } finally {
    // What has come is kept, however it ends.
    sync();
    output.close();
  }
  if (bytes === size) return { kind: 'whole' };
  return { kind: 'cut', failure: 'truncated', reason: `the server has sent ${bytes} of ${size} bytes` };

  function sync(): void {
    if (bytes === certain) return;
    onDisk(() => {
      output.sync();
      // Its name as well: the file may be new.
      fs.syncDirectory(path.dirname(file));
      synced(bytes);
    });
    certain = bytes;
  }
}

/** Tells an error of the disk from one of the network. */
class DiskError extends Error {
  override readonly name = 'DiskError';
}

function onDisk<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw new DiskError(messageOf(cause), { cause });
  }
}
