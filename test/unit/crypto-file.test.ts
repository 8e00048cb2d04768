import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import { type FileDataKey, fileContext } from '@thingstead/contracts/files';
import { DataKeyKeyring } from '@thingstead/crypto/data-key-keyring';
import { decryptFile } from '@thingstead/crypto/decrypt-file';
import { encryptedFileBytes, encryptFile } from '@thingstead/crypto/encrypt-file';
import { CLIENT_OPTIONS, FRAME_BYTES, headerBytes, SUITE } from '@thingstead/crypto/message-format';

const keyArn = 'arn:aws:kms:us-east-1:123456789012:key/0b3ac4a1-5bb0-4b6a-a0a4-8b6c1d1a0f01';
const transfer = '01JD6Z8W7M3Q5V9X2T4B6N8P0R';

function dataKey(thing = 'barn-1'): FileDataKey {
  return {
    plaintext: randomBytes(32).toString('base64'),
    wrapped: randomBytes(184).toString('base64'),
    keyArn,
    context: fileContext({ stage: 'dev', thing, transfer, direction: 'from-device' }),
  };
}

const key = dataKey();
const encrypt = (plain: Buffer, of = key) => buffer(encryptFile(Readable.from([plain]), of));
const decrypt = (encrypted: Buffer, of = key) => buffer(decryptFile(Readable.from([encrypted]), of));
const failing = (encrypted: Buffer, of = key) =>
  decrypt(encrypted, of).then(
    () => undefined,
    (error) => error,
  );
const header = headerBytes({
  encryptionContext: key.context,
  encryptedDataKeys: [
    { providerId: 'aws-kms', providerInfo: keyArn, encryptedDataKey: Buffer.from(key.wrapped, 'base64') },
  ],
});
/** A frame as it is written, but the last. */
const FRAME = FRAME_BYTES + 32;

/** Of small frames, so that every byte can be tried. */
async function inSmallFrames(plain: Buffer, frameLength: number): Promise<Buffer> {
  const { encryptStream } = buildEncrypt(CLIENT_OPTIONS);
  const keyring = new DataKeyKeyring(key);
  return buffer(
    Readable.from([plain]).pipe(
      encryptStream(keyring, { suiteId: SUITE, encryptionContext: key.context, frameLength }),
    ),
  );
}

describe('an encrypted file', () => {
  const sizes = [0, 1, 17, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 3 * FRAME_BYTES + 5];
  test.each(sizes)('of %d bytes is the same when it is decrypted, and as long as was said before', async (size) => {
    const plain = randomBytes(size);
    const encrypted = await encrypt(plain);
    expect(encrypted).toHaveLength(encryptedFileBytes(size, key));
    expect((await decrypt(encrypted)).equals(plain)).toBe(true);
    if (size > 16) expect(encrypted.includes(plain.subarray(0, 16))).toBe(false);
  });

  test('may come in pieces of any size', async () => {
    const plain = randomBytes(FRAME_BYTES + 1000);
    const encrypted = await encrypt(plain);
    for (const length of [1000, 4096, FRAME]) {
      const pieces = Array.from({ length: Math.ceil(encrypted.length / length) }, (_, index) =>
        encrypted.subarray(index * length, (index + 1) * length),
      );
      expect((await buffer(decryptFile(Readable.from(pieces), key))).equals(plain)).toBe(true);
    }
  });

  test('is another one every time, and names the wrapped key and its context, and no other key', async () => {
    const [one, two] = [await encrypt(Buffer.from('milk')), await encrypt(Buffer.from('milk'))];
    expect(one.equals(two)).toBe(false);
    expect(one.includes(Buffer.from(key.wrapped, 'base64'))).toBe(true);
    expect(one.includes(transfer)).toBe(true);
    expect(one.includes(Buffer.from(key.plaintext, 'base64'))).toBe(false);
  });

  test('is refused when any of its bytes has another bit', async () => {
    const encrypted = await inSmallFrames(randomBytes(100), 40);
    for (let index = 0; index < encrypted.length; index += 1) {
      const harmed = Buffer.from(encrypted);
      harmed[index] = (encrypted[index] ?? 0) ^ (1 << (index % 8));
      const { name, kind } = (await failing(harmed)) ?? {};
      expect({ index, name, kind }).toEqual({ index, name: 'EncryptedFileError', kind: expect.any(String) });
    }
  });

  test('says in which frame it was changed', async () => {
    const encrypted = await encrypt(randomBytes(3 * FRAME_BYTES));
    const harmed = Buffer.from(encrypted);
    harmed.writeUInt8((harmed[header + FRAME + 5000] ?? 0) ^ 1, header + FRAME + 5000);
    expect(await failing(harmed)).toMatchObject({ kind: 'changed', message: expect.stringContaining('in frame 2') });
    harmed.writeUInt8(9, 0);
    expect(await failing(harmed)).toMatchObject({ kind: 'changed', message: expect.stringContaining('header') });
  });

  test('is refused with frames out of order, left out or repeated', async () => {
    const encrypted = await inSmallFrames(randomBytes(100), 40);
    const part = (frame: number) => encrypted.subarray(header + frame * 72, header + (frame + 1) * 72);
    const head = encrypted.subarray(0, header);
    const end = encrypted.subarray(header + 2 * 72);
    for (const frames of [[part(1), part(0)], [part(1)], [part(0)], [part(0), part(0), part(1)]]) {
      expect(await failing(Buffer.concat([head, ...frames, end]))).toMatchObject({ kind: 'changed' });
    }
    expect(await decrypt(Buffer.concat([head, part(0), part(1), end]))).toHaveLength(100);
  });

  test('is refused when it ends anywhere before its end', async () => {
    const encrypted = await inSmallFrames(randomBytes(100), 40);
    for (let length = 0; length < encrypted.length; length += 1) {
      const { kind } = (await failing(encrypted.subarray(0, length))) ?? {};
      expect({ length, kind }).toEqual({ length, kind: 'truncated' });
    }
  });

  test('is refused when more follows, a little or without end', async () => {
    const encrypted = await encrypt(randomBytes(1000));
    expect(await failing(Buffer.concat([encrypted, Buffer.alloc(1)]))).toMatchObject({ kind: 'trailing' });
    let given = 0;
    function* endless(): Generator<Buffer> {
      yield encrypted;
      for (;;) {
        given += FRAME_BYTES;
        yield Buffer.alloc(FRAME_BYTES);
      }
    }
    const error = await buffer(decryptFile(Readable.from(endless()), key)).catch((caught) => caught);
    expect(error).toMatchObject({ kind: 'trailing' });
    expect(given).toBeLessThan(8 * 1024 * 1024);
  });

  test('is refused with frames that would not fit into memory, before they are read', async () => {
    const encrypted = await inSmallFrames(Buffer.alloc(2 * 1024 * 1024 + 10), 2 * 1024 * 1024);
    expect(await failing(encrypted)).toMatchObject({ kind: 'changed' });
  });

  test("is refused with another thing's key, another key of the same wrapping, and in another context", async () => {
    const encrypted = await encrypt(Buffer.from('milk'));
    const other = dataKey('barn-2');
    expect(await failing(encrypted, other)).toMatchObject({ kind: 'wrong-context' });
    expect(await failing(encrypted, { ...other, context: key.context })).toMatchObject({ kind: 'wrong-key' });
    expect(await failing(encrypted, { ...key, keyArn: `${keyArn}2` })).toMatchObject({ kind: 'wrong-key' });
    expect(await failing(encrypted, { ...key, plaintext: other.plaintext })).toMatchObject({ kind: 'wrong-key' });
    for (const context of [
      {},
      { ...key.context, more: '1' },
      { ...key.context, 'thingstead:direction': 'to-device' },
    ]) {
      expect(await failing(encrypted, { ...key, context })).toMatchObject({
        kind: 'wrong-context',
        message: expect.stringContaining(transfer),
      });
    }
  });

  test('takes no key of another length', async () => {
    const short = { ...key, plaintext: randomBytes(16).toString('base64') };
    await expect(encrypt(Buffer.from('milk'), short)).rejects.toThrow('Key length');
  });

  test('that cannot be read ends with the error of its source', async () => {
    const broken = new Error('EIO');
    function* source(): Generator<Buffer> {
      yield randomBytes(FRAME_BYTES);
      throw broken;
    }
    await expect(buffer(encryptFile(Readable.from(source()), key))).rejects.toBe(broken);
    const encrypted = await encrypt(randomBytes(2 * FRAME_BYTES));
    function* half(): Generator<Buffer> {
      yield encrypted.subarray(0, FRAME_BYTES);
      throw broken;
    }
    await expect(buffer(decryptFile(Readable.from(half()), key))).rejects.toBe(broken);
  });

  test.each([
    ['encrypted', (source: Readable) => encryptFile(source, key)],
    ['decrypted', (source: Readable) => decryptFile(source, key)],
  ])('is read no faster than what is %s is taken', async (_, through) => {
    const encrypted = await encrypt(Buffer.alloc(FRAME_BYTES * 200));
    let given = 0;
    function* source(): Generator<Buffer> {
      for (let at = 0; at < encrypted.length; at += FRAME_BYTES) {
        given += FRAME_BYTES;
        yield encrypted.subarray(at, at + FRAME_BYTES);
      }
    }
    const stream = through(Readable.from(source()));
    const first = await stream[Symbol.asyncIterator]().next();
    expect(first.done).toBe(false);
    for (let turn = 0; turn < 1000; turn += 1) await new Promise(setImmediate);
    expect(given).toBeLessThan(20 * FRAME_BYTES);
    stream.destroy();
  });
});
