import { createHash } from 'node:crypto';
import {
  constants,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  linkSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@thingstead/client';
import { decryptFile } from '@thingstead/crypto/decrypt-file';
import { CommandError } from '../command-error.ts';
import { SECRET_MODE } from '../new-file.ts';
import type { Progress } from './progress.ts';
import { persistently, StoreError } from './retry.ts';
import { type Spool, spoolOf } from './spool.ts';

type Grant = Awaited<ReturnType<Client['downloadFile']>>;

export interface GetOptions {
  readonly api: Client;
  /** Tells one deployment from another. */
  readonly deployment: string;
  readonly thing: string;
  readonly transfer: string;
  /** By default in this folder, as its sender calls it. Never overwritten. */
  readonly out?: string;
  /** Where to leave what is encrypted as well. */
  readonly keepEncrypted?: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Fetches a file and decrypts it here. It is there once all of it is genuine; called again after it was cut off, it goes on.
 *
 * @throws CommandError, ApiProblem, EncryptedFileError
 */
export async function getFile(
  options: GetOptions,
): Promise<{ readonly file: string; readonly transfer: Grant['transfer'] }> {
  const { deployment, thing, transfer, signal, keepEncrypted } = options;
  if (options.out !== undefined) refuseExisting(options.out);
  if (keepEncrypted !== undefined) refuseExisting(keepEncrypted);
  const spool = spoolOf('get', deployment, thing, transfer);
  const grant = await persistently(signal, (made) => fetchInto(spool, options, made));
  await verify(spool, grant);
  const file = options.out ?? grant.transfer.name;
  refuseExisting(file);
  await decryptInto(file, spool, grant, options.progress);
  if (keepEncrypted !== undefined) moveInto(keepEncrypted, spool.file);
  spool.remove();
  return { file, transfer: grant.transfer };
}

function refuseExisting(file: string): void {
  if (!existsSync(file)) return;
  throw new CommandError('conflict', `${file} is already there and is never overwritten.`, {
    causes: ['choose another name with --out, or move the file away'],
  });
}

/** From where an earlier attempt ended. Never more than was promised. */
async function fetchInto(
  spool: Spool,
  { api, thing, transfer, progress, signal }: GetOptions,
  made: () => void,
): Promise<Grant> {
  const grant = await api.downloadFile({ params: { thing, transfer } });
  let have = statSync(spool.file, { throwIfNoEntry: false })?.size ?? 0;
  if (have > grant.bytes) {
    rmSync(spool.file);
    have = 0;
  }
  progress.at('fetching', have, grant.bytes);
  if (have === grant.bytes) return grant;
  const headers = { range: `bytes=${have}-${grant.bytes - 1}`, 'if-match': grant.etag };
  const answer = await fetch(grant.url, { headers, signal });
  if (answer.status !== 206 || !answer.body) throw new StoreError(answer.status, `S3 answered ${answer.status}.`);
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      have += chunk.length;
      made();
      progress.at('fetching', Math.min(have, grant.bytes), grant.bytes);
      done(have > grant.bytes ? new CommandError('failed', 'S3 sends more than was promised.') : null, chunk);
    },
  });
  // The types of the stream of the web and of Node differ in what nobody uses here.
  const body = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
  await pipeline(body, count, createWriteStream(spool.file, { flags: 'a', mode: SECRET_MODE }));
  if (have < grant.bytes) throw new StoreError(503, 'S3 ended too early.');
  return grant;
}

/** Byte by byte what its sender has sent; what is not is thrown away. */
async function verify(spool: Spool, { sha256 }: Grant): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(spool.file)) hash.update(chunk);
  if (hash.digest('base64') === sha256) return;
  spool.remove();
  throw new CommandError('failed', 'What came is not what was sent: its SHA-256 is another one.', {
    causes: ['somebody or something has changed it in the store'],
  });
}

async function decryptInto(
  file: string,
  spool: Spool,
  { dataKey, transfer }: Grant,
  progress: Progress,
): Promise<void> {
  const draft = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  let done = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length;
      progress.at('decrypting', Math.min(done, transfer.size), transfer.size);
      next(null, chunk);
    },
  });
  try {
    const target = createWriteStream(draft, { flags: 'wx', mode: SECRET_MODE, flush: true });
    await pipeline(decryptFile(createReadStream(spool.file), dataKey), count, target);
    moveInto(file, draft);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Not over what has come there meanwhile. */
function moveInto(file: string, from: string): void {
  try {
    linkSync(from, file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') refuseExisting(file);
    // Another file system, or one without links.
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'ENOTSUP') throw error;
    refuseExisting(file);
    copyFileSync(from, file, constants.COPYFILE_EXCL);
  }
}
