/** Files in the format of the AWS Encryption SDK. */
import { finished, PassThrough, Readable } from 'node:stream';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import type { FileDataKey } from '@thingstead/contracts/files';
import { DataKeyKeyring } from './data-key-keyring.ts';
import { CLIENT_OPTIONS, FRAME_BYTES, framesBytes, headerBytes, SUITE } from './message-format.ts';

const { encryptStream } = buildEncrypt(CLIENT_OPTIONS);

/**
 * Encrypts with the data key, in its context, frame by frame. The stream it gives holds a few frames in memory; an error of the source
 * becomes its own.
 */
export function encryptFile(source: Readable, dataKey: FileDataKey): Readable {
  return Readable.from(encrypt(source, dataKey), { objectMode: false });
}

async function* encrypt(source: Readable, dataKey: FileDataKey): AsyncGenerator<Buffer> {
  const cipher = encryptStream(new DataKeyKeyring(dataKey), {
    suiteId: SUITE,
    encryptionContext: dataKey.context,
    frameLength: FRAME_BYTES,
  });
  const encrypted = new PassThrough();
  cipher.on('error', (error: Error) => encrypted.destroy(error));
  finished(source, { writable: false }, (error) => {
    if (error) encrypted.destroy(error);
  });
  source.pipe(cipher).pipe(encrypted);
  try {
    yield* encrypted;
  } finally {
    // Destroyed before its end, the library's stream throws where nobody can catch it. It ends instead, and zeroes its key.
    source.unpipe(cipher);
    source.destroy();
    cipher.unpipe(encrypted);
    cipher.end();
    cipher.resume();
  }
}

/** Length of a file of so many bytes when it is encrypted with this data key. */
export function encryptedFileBytes(size: number, { wrapped, keyArn, context }: FileDataKey): number {
  const encryptedDataKey = Buffer.from(wrapped, 'base64');
  const header = headerBytes({
    encryptionContext: context,
    encryptedDataKeys: [{ providerId: 'aws-kms', providerInfo: keyArn, encryptedDataKey }],
  });
  return header + framesBytes(size, FRAME_BYTES);
}
