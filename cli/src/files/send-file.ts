import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiProblem, type Client } from '@thingstead/client';
import { type FileDataKey, FileName, PART_BYTES } from '@thingstead/contracts/files';
import { ULID_RANDOM_BYTES, ulidOf } from '@thingstead/contracts/ulid';
import { encryptFile } from '@thingstead/crypto/encrypt-file';
import * as v from 'valibot';
import { CommandError } from '../command-error.ts';
import { SECRET_MODE } from '../new-file.ts';
import type { Progress } from './progress.ts';
import { persistently, StoreError } from './retry.ts';
import { type Spool, type Started, spoolOf } from './spool.ts';

type Sent = Awaited<ReturnType<Client['completeFile']>>;
type Kept = Awaited<ReturnType<Client['sendFile']>>['stored'];

export interface SendOptions {
  readonly api: Client;
  /** Tells one deployment from another. */
  readonly deployment: string;
  readonly thing: string;
  readonly file: string;
  /** What the device is told that it is called; by default as it is here. */
  readonly name?: string;
  readonly contentType?: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Parts whose URLs are asked for together: they are sent within the minute that these live, one after the other. */
const PARTS_AT_ONCE = 2;

/**
 * Encrypts a file for a thing and puts it into the store. The same file to the same thing, called again after it was cut off, goes
 * on: no part goes twice but the one that was on its way.
 *
 * @throws CommandError, ApiProblem
 */
export async function sendFile(options: SendOptions): Promise<Sent> {
  const { file, thing, deployment } = options;
  const { size, mtimeMs } = statOf(file);
  const name = v.safeParse(FileName, options.name ?? path.basename(file));
  if (!name.success) throw new CommandError('usage', `A file cannot be called so: ${name.issues[0].message}`);
  const spool = spoolOf('put', deployment, thing, path.resolve(file), String(size), String(mtimeMs), name.output);
  const started = spool.read() ?? { transfer: ulidOf(Date.now(), randomBytes(ULID_RANDOM_BYTES)) };
  // Before the first request: what was begun is found again.
  spool.write(started);
  const sent = await persistently(options.signal, (made) =>
    attempt({ ...options, name: name.output }, size, spool, made),
  );
  spool.remove();
  return sent;
}

function statOf(file: string) {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile()) return stat;
  throw new CommandError('notFound', `There is no file ${file}.`);
}

async function attempt(
  { api, thing, file, name, contentType, progress, signal }: SendOptions & { readonly name: string },
  size: number,
  spool: Spool,
  made: () => void,
): Promise<Sent> {
  const started = spool.read();
  if (!started) throw new CommandError('failed', 'What was begun is gone from the cache folder.');
  const params = { thing, transfer: started.transfer };
  const body = { id: started.transfer, name, size, ...(contentType !== undefined && { contentType }) };
  const begun = await beginOrFind(api, thing, body);
  if ('state' in begun) return over(begun, spool);
  const encrypted = started.encrypted ?? (await encryptInto(spool, file, size, begun.dataKey, progress));
  if (!started.encrypted) spool.write({ ...started, encrypted });
  const parts = await sendParts({ api, params, spool, encrypted, stored: begun.stored, progress, signal, made });
  return api.completeFile({ params, body: { parts, ...encrypted } });
}

/** Once all of it is stored there is nothing to begin: then the transfer itself. */
async function beginOrFind(api: Client, thing: string, body: Parameters<Client['sendFile']>[0]['body']) {
  try {
    return await api.sendFile({ params: { thing }, body });
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 409) throw error;
    const found = await api.getFile({ params: { thing, transfer: String(body.id) } }).catch(() => undefined);
    if (found && found.state !== 'REQUESTED' && found.state !== 'UPLOADING') return found;
    throw error;
  }
}

function over(found: Sent, spool: Spool): Sent {
  if (found.state === 'STORED' || found.state === 'DELIVERING' || found.state === 'DELIVERED') return found;
  spool.remove();
  throw new CommandError('conflict', `The transfer that was begun is ${found.state}.`, {
    causes: [...(found.reason === undefined ? [] : [found.reason]), 'the same command begins another'],
  });
}

/** The whole file, or nothing: a part of it is never taken for all. */
async function encryptInto(
  { file: target }: Spool,
  source: string,
  size: number,
  dataKey: FileDataKey,
  progress: Progress,
): Promise<NonNullable<Started['encrypted']>> {
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      progress.at('encrypting', Math.min(bytes, size), size);
      done(null, chunk);
    },
  });
  await pipeline(
    encryptFile(createReadStream(source), dataKey),
    measure,
    createWriteStream(target, { mode: SECRET_MODE, flush: true }),
  );
  return { bytes, sha256: hash.digest('base64') };
}

interface Parts {
  readonly api: Client;
  readonly params: { readonly thing: string; readonly transfer: string };
  readonly spool: Spool;
  readonly encrypted: NonNullable<Started['encrypted']>;
  readonly stored: Kept;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly made: () => void;
}

async function sendParts({ api, params, spool, encrypted, stored, progress, signal, made }: Parts) {
  const etags = new Map(stored.map(({ number, etag }) => [number, etag]));
  const count = Math.max(1, Math.ceil(encrypted.bytes / PART_BYTES));
  const missing = Array.from({ length: count }, (_, at) => at + 1).filter((number) => !etags.has(number));
  const source = await open(spool.file, 'r');
  try {
    const show = (): void =>
      progress.at('sending', Math.min(etags.size * PART_BYTES, encrypted.bytes), encrypted.bytes);
    show();
    for (let at = 0; at < missing.length; at += PARTS_AT_ONCE) {
      signal.throwIfAborted();
      const bodies = await Promise.all(missing.slice(at, at + PARTS_AT_ONCE).map((number) => readPart(source, number)));
      const wanted = bodies.map(({ number, body }) => ({ number, bytes: body.length, sha256: sha256Of(body) }));
      const { urls } = await api.sendParts({ params, body: { parts: wanted } });
      for (const { number, body } of bodies) {
        const url = urls.find((each) => each.number === number);
        if (!url) throw new CommandError('failed', 'The API gave no URL for a part.');
        etags.set(number, await put(url, body, signal));
        made();
        show();
      }
    }
  } finally {
    await source.close();
  }
  return [...etags].sort(([a], [b]) => a - b).map(([number, etag]) => ({ number, etag }));
}

async function readPart(source: FileHandle, number: number) {
  const body = Buffer.alloc(PART_BYTES);
  const { bytesRead } = await source.read(body, 0, PART_BYTES, (number - 1) * PART_BYTES);
  return { number, body: body.subarray(0, bytesRead) };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

async function put(
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  body: Buffer,
  signal: AbortSignal,
): Promise<string> {
  // The array buffer of a view may be larger than the view.
  const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body), signal });
  const text = await answer.text();
  const etag = answer.headers.get('etag');
  if (answer.ok && etag) return etag;
  throw new StoreError(answer.status, `S3 answered ${answer.status}: ${/<Message>([^<]*)/.exec(text)?.[1] ?? ''}`);
}
