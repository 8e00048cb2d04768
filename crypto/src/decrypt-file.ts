import { pipeline, Readable, Transform } from 'node:stream';
import { buildDecrypt, type MessageHeader } from '@aws-crypto/decrypt-node';
import type { FileDataKey } from '@thingstead/contracts/files';
import { DataKeyKeyring } from './data-key-keyring.ts';
import { EncryptedFileError } from './encrypted-file-error.ts';
import {
  CLIENT_OPTIONS,
  framesBytes,
  framesBytesWithFullEnd,
  framesOverhead,
  headerBytes,
  MAX_FRAME_BYTES,
  MAX_HEADER_BYTES,
} from './message-format.ts';

const { decryptUnsignedMessageStream } = buildDecrypt(CLIENT_OPTIONS);

/** More than all streams on the way hold back while a frame is decrypted. */
const IN_FLIGHT_BYTES = 4 * MAX_FRAME_BYTES;

/**
 * Decrypts with the data key what was encrypted in its context. Every frame is given out once it is known to be genuine, so a file is
 * whole only when the stream has ended; what came before an error has to be thrown away. Ends with an EncryptedFileError that says what
 * is wrong with the file, or with the error of the source.
 */
export function decryptFile(source: Readable, dataKey: FileDataKey): Readable {
  return Readable.from(decrypt(source, dataKey), { objectMode: false });
}

async function* decrypt(source: Readable, dataKey: FileDataKey): AsyncGenerator<Buffer> {
  let read = 0;
  let plain = 0;
  let header: MessageHeader | undefined;
  let failure: Error | undefined;
  source.once('error', (error) => {
    failure = error;
  });
  // What follows the last frame would be kept in memory by the library, and passed over.
  const bounded = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const overhead = header ? framesOverhead(plain, header.frameLength) : 0;
      if (read - plain - overhead > MAX_HEADER_BYTES + IN_FLIGHT_BYTES) {
        failure = trailing();
        done(failure);
        return;
      }
      read += chunk.length;
      done(null, chunk);
    },
  });
  const decipher = decryptUnsignedMessageStream(new DataKeyKeyring(dataKey), { maxBodySize: MAX_FRAME_BYTES });
  decipher.once('MessageHeader', (parsed: MessageHeader) => {
    header = parsed;
  });
  // The library says again that it was closed early when nobody listens any more; unheard, that would end the process.
  decipher.on('error', () => {});
  pipeline(source, bounded, decipher, () => {});
  try {
    for await (const chunk of decipher) {
      plain += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw failure ?? explain(error, header, plain);
  }
  if (header && !isWhole(header, read, plain)) throw trailing();
}

function trailing(): EncryptedFileError {
  return new EncryptedFileError('trailing', 'there is more after the end of the encrypted file');
}

function isWhole(header: MessageHeader, read: number, plain: number): boolean {
  const frames = read - headerBytes(header);
  const { frameLength } = header;
  if (frames === framesBytes(plain, frameLength)) return true;
  return plain > 0 && plain % frameLength === 0 && frames === framesBytesWithFullEnd(plain, frameLength);
}

/** The library has one kind of error; what it was about is seen from how far it came. */
function explain(cause: unknown, header: MessageHeader | undefined, plain: number): EncryptedFileError {
  if (cause instanceof EncryptedFileError) return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  const where = header ? `in frame ${Math.floor(plain / header.frameLength) + 1}` : 'in its header';
  if (said === 'Commitment does not match.') {
    const message = 'the data key is not the one that it was encrypted with, or its header was changed';
    return new EncryptedFileError('wrong-key', message, { cause });
  }
  if (said.startsWith('Incomplete')) return new EncryptedFileError('truncated', `it ends ${where}`, { cause });
  return new EncryptedFileError('changed', `it was changed ${where}: ${said}`, { cause });
}
