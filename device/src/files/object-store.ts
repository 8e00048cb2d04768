/** Objects behind presigned URLs of S3, as streams that are read no faster than they are written. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../clock.ts';
import { OtherObject, TryLater } from './transfer-error.ts';

/** A connection on which so little comes through in so long is given up, like one that is dead. */
const WINDOW_MS = 60_000;
const WINDOW_BYTES = 64 * 1024;
/** Of an error of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const MAX_BODY = 4096;
const CODE = /<Code>(\w{1,64})<\/Code>/;

export interface ObjectStore {
  /** Puts exactly so many bytes. @throws TryLater when no answer came. */
  put(put: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Readable;
    readonly bytes: number;
    readonly signal: AbortSignal;
  }): Promise<{ readonly status: number; readonly etag: string; readonly code: string }>;
  /**
   * Gets a range of an object, if it is the one with this entity tag, and gives it to `take`, chunk by chunk.
   *
   * @throws OtherObject when it is another one, TryLater for any other answer, and when it breaks off; Error of `take`.
   */
  get(get: {
    readonly url: string;
    readonly etag: string;
    readonly from: number;
    /** Before byte `to`, which is where the object ends; no byte more is taken. */
    readonly to: number;
    readonly take: (chunk: Buffer) => Promise<void>;
    readonly signal: AbortSignal;
  }): Promise<void>;
}

export function httpObjectStore(clock: Clock): ObjectStore {
  return {
    put: async ({ url, headers, body, bytes, signal }) => {
      const request = open(url, 'PUT', { ...headers, 'content-length': String(bytes) }, signal);
      const watched = watch(clock, request, () => sentBytes(request));
      try {
        const answered = answer(request);
        // S3 may answer, and hang up, before it has everything.
        await pipeline(body, request, { signal }).catch(async (error) => {
          body.destroy();
          if (!(await Promise.race([answered, undefinedSoon()]))) throw error;
        });
        const response = await answered;
        return {
          status: response.statusCode ?? 0,
          etag: response.headers.etag ?? '',
          code: await errorCode(response),
        };
      } catch (error) {
        throw later('the upload broke off', error, signal, watched.isSlow());
      } finally {
        watched.stop();
        body.destroy();
        request.destroy();
      }
    },
    get: async ({ url, etag, from, to, take, signal }) => {
      const request = open(url, 'GET', { 'if-match': quoted(etag), range: `bytes=${from}-${to - 1}` }, signal);
      let received = 0;
      const watched = watch(clock, request, () => received);
      let failure: unknown;
      try {
        request.end();
        const response = await answer(request);
        if (response.statusCode === 412) throw new OtherObject('S3 has another object than the one that was sent');
        if (response.statusCode !== 206) {
          throw new TryLater(`S3 answers ${response.statusCode}: ${await errorCode(response)}`);
        }
        for await (const chunk of response as AsyncIterable<Buffer>) {
          received += chunk.length;
          if (received > to - from) throw new TryLater('S3 gives more than was promised');
          await take(chunk).catch((error) => {
            failure = error;
            throw error;
          });
        }
        if (received < to - from) throw new TryLater('the download broke off');
      } catch (error) {
        throw failure ?? later('the download broke off', error, signal, watched.isSlow());
      } finally {
        watched.stop();
        request.destroy();
      }
    },
  };
}

function open(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): ClientRequest {
  const make = new URL(url).protocol === 'http:' ? httpRequest : httpsRequest;
  // A connection of its own: a kept one may have been closed by S3 in the meantime.
  const request = make(url, { method, headers, agent: false, signal });
  // What goes wrong is seen by those who wait for the answer; this is for later.
  request.on('error', () => {});
  return request;
}

/** As HTTP wants it (RFC 9110, 8.8.3); events of S3 have it without. */
function quoted(etag: string): string {
  return etag.startsWith('"') ? etag : `"${etag}"`;
}

function answer(request: ClientRequest): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
    request.once('close', () => reject(new Error('the connection was closed')));
  });
  answered.catch(() => {});
  return answered;
}

/** Cuts the connection when too little comes through. */
function watch(
  clock: Clock,
  request: ClientRequest,
  transferred: () => number,
): { readonly stop: () => void; readonly isSlow: () => boolean } {
  let before = 0;
  let slow = false;
  const look = (): void => {
    const now = transferred();
    slow = now - before < WINDOW_BYTES;
    if (slow) request.destroy();
    else cancel = clock.after(WINDOW_MS, look);
    before = now;
  };
  let cancel = clock.after(WINDOW_MS, look);
  return { stop: () => cancel(), isSlow: () => slow };
}

function sentBytes({ socket }: ClientRequest): number {
  return socket?.bytesWritten ?? 0;
}

async function undefinedSoon(): Promise<undefined> {
  await new Promise((resolve) => setImmediate(resolve));
  return undefined;
}

/** Only the code: the rest may quote what was signed. */
async function errorCode(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_BODY) break;
  }
  return CODE.exec(text)?.[1] ?? '';
}

function later(what: string, error: unknown, signal: AbortSignal, isSlow: boolean): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof TryLater || error instanceof OtherObject) return error;
  if (isSlow) return new TryLater(`it is too slow: ${WINDOW_BYTES} bytes in ${WINDOW_MS / 1000} s are the least`);
  return new TryLater(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
