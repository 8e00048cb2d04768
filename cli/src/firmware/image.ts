import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { MAX_IMAGE_BYTES } from '@thingstead/contracts/firmware';
import { CommandError } from '../command-error.ts';

/** Size and SHA-256 (hex) of an image, which may be larger than the memory. @throws CommandError (usage) */
export async function measure(file: string): Promise<{ readonly size: number; readonly sha256: string }> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new CommandError('usage', `${file} is no file.`);
  if (found.size === 0 || found.size > MAX_IMAGE_BYTES) {
    throw new CommandError('usage', `${file} has ${found.size} bytes; an image has 1 to ${MAX_IMAGE_BYTES}.`);
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return { size: found.size, sha256: hash.digest('hex') };
}

/** PUTs an image where the platform said, with the headers that it signed. @throws CommandError with what S3 says */
export async function upload(
  file: string,
  { url, headers }: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<void> {
  const body = await openAsBlob(file);
  // `fetch` writes the length itself, of what it sends.
  const { 'content-length': _, ...others } = headers;
  const answer = await fetch(url, { method: 'PUT', headers: others, body, signal });
  if (answer.ok) return;
  throw new CommandError('failed', `S3 did not take the image: ${answer.status}.`, {
    causes: [(await answer.text()).slice(0, 500)],
    next: 'thingstead firmware publish, once more: it goes on where it was',
  });
}
