/**
 * The ciphertexts of symmetric keys: AES-256-GCM with the encryption context as authenticated data. The layout is this
 * runtime's own, as AWS's is its own: version, key id, initialization vector, tag, encrypted bytes.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { authenticatedData, type EncryptionContext } from './encryption-context.ts';
import { invalidCiphertext } from './errors.ts';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const KEY_ID_BYTES = 36;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES;
const PREFIX_BYTES = HEAD_BYTES + IV_BYTES + TAG_BYTES;

/** Encrypts under the secret of a key; `keyId` is its UUID. */
export function seal(keyId: string, secret: Buffer, plaintext: Uint8Array, context: EncryptionContext): Buffer {
  const head = Buffer.concat([Buffer.from([VERSION]), Buffer.from(keyId, 'ascii')]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, secret, iv);
  cipher.setAAD(Buffer.concat([head, authenticatedData(context)]));
  const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([head, iv, cipher.getAuthTag(), encrypted]);
}

/** The id of the key that made a ciphertext. Throws InvalidCiphertextException for what is none. */
export function keyIdOf(ciphertext: Uint8Array): string {
  if (ciphertext.length < PREFIX_BYTES || ciphertext[0] !== VERSION) throw invalidCiphertext();
  return Buffer.from(ciphertext.subarray(1, HEAD_BYTES)).toString('ascii');
}

/** Decrypts. Throws InvalidCiphertextException when bytes or context are not those of the encryption. */
export function open(secret: Buffer, ciphertext: Uint8Array, context: EncryptionContext): Buffer {
  const head = ciphertext.subarray(0, HEAD_BYTES);
  const iv = ciphertext.subarray(HEAD_BYTES, HEAD_BYTES + IV_BYTES);
  const decipher = createDecipheriv(ALGORITHM, secret, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([head, authenticatedData(context)]));
  decipher.setAuthTag(ciphertext.subarray(HEAD_BYTES + IV_BYTES, PREFIX_BYTES));
  try {
    return Buffer.concat([decipher.update(ciphertext.subarray(PREFIX_BYTES)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}
