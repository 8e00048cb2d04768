/**
 * The streaming body that S3 clients send: chunks with optional signatures, and checksums as trailers
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html, sigv4-streaming-trailers.html).
 */
import { AwsError } from '../../kernel/errors.ts';
import { sha256, textSignature } from './sign.ts';

export interface ChunkSigner {
  readonly key: Buffer;
  readonly date: string;
  readonly scope: string;
  /** The signature of the request's headers: the first link of the chain. */
  readonly seed: string;
}

export interface Decoded {
  readonly body: Buffer;
  /** Header names in lower case. */
  readonly trailers: Readonly<Record<string, string>>;
}

const CRLF = Buffer.from('\r\n');
const EMPTY_HASH = sha256('');

/** Takes the framing away. With a signer every chunk's signature is checked, and that of the trailers. */
export function decodeAwsChunked(framed: Buffer, signer: ChunkSigner | undefined): Decoded {
  const chunks: Buffer[] = [];
  let previous = signer?.seed ?? '';
  let at = 0;
  for (;;) {
    const lineEnd = framed.indexOf(CRLF, at);
    if (lineEnd < 0) throw broken('a chunk header has no end');
    const [size = '', ...extensions] = framed.toString('latin1', at, lineEnd).split(';');
    const length = /^[0-9a-f]+$/i.test(size) ? Number.parseInt(size, 16) : Number.NaN;
    if (!(length <= framed.length - lineEnd)) throw broken(`chunk size ${JSON.stringify(size)}`);
    const chunk = framed.subarray(lineEnd + 2, lineEnd + 2 + length);
    if (signer) {
      const lines = ['AWS4-HMAC-SHA256-PAYLOAD', signer.date, signer.scope, previous, EMPTY_HASH, sha256(chunk)];
      previous = textSignature(signer.key, lines);
      if (!extensions.includes(`chunk-signature=${previous}`)) throw mismatch();
    }
    at = lineEnd + 2 + length;
    if (length === 0) break;
    chunks.push(chunk);
    if (!framed.subarray(at, at + 2).equals(CRLF)) throw broken('a chunk is longer than its header says');
    at += 2;
  }
  return { body: Buffer.concat(chunks), trailers: readTrailers(framed.toString('latin1', at), signer, previous) };
}

function readTrailers(text: string, signer: ChunkSigner | undefined, previous: string): Record<string, string> {
  const trailers: Record<string, string> = {};
  for (const line of text.split(/\r\n|\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { 'x-amz-trailer-signature': signature, ...rest } = trailers;
  const names = Object.keys(rest).toSorted();
  if (signer && names.length > 0) {
    const canonical = names.map((name) => `${name}:${rest[name]}\n`).join('');
    const lines = ['AWS4-HMAC-SHA256-TRAILER', signer.date, signer.scope, previous, sha256(canonical)];
    if (signature !== textSignature(signer.key, lines)) throw mismatch();
  }
  return rest;
}

function broken(detail: string): AwsError {
  return new AwsError('IncompleteBody', `The aws-chunked body cannot be read: ${detail}`);
}

function mismatch(): AwsError {
  return new AwsError(
    'SignatureDoesNotMatch',
    'The signature of a chunk does not match the one calculated from its content.',
    403,
  );
}
