/** EMSA-PSS over a digest (RFC 8017, section 9.1) with MGF1 and a salt as long as the digest, which is what KMS uses. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

function mask(hash: string, seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let bytes = 0, counter = 0; bytes < length; counter += 1) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(counter);
    const block = createHash(hash).update(seed).update(index).digest();
    blocks.push(block);
    bytes += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(left: Uint8Array, right: Uint8Array): Buffer {
  return Buffer.from(left.map((byte, at) => byte ^ (right[at] ?? 0)));
}

function hashOf(hash: string, digest: Uint8Array, salt: Uint8Array): Buffer {
  return createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
}

/** The block to sign for a modulus of `length` bytes, whose highest bit stays clear. */
export function encodePss(hash: string, digest: Uint8Array, length: number): Buffer {
  const salt = randomBytes(digest.length);
  const h = hashOf(hash, digest, salt);
  const data = Buffer.alloc(length - h.length - 1);
  data[data.length - salt.length - 1] = 1;
  salt.copy(data, data.length - salt.length);
  const masked = xor(data, mask(hash, h, data.length));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, h, Buffer.from([0xbc])]);
}

/** Whether a block was made for this digest. */
export function checkPss(hash: string, digest: Uint8Array, block: Uint8Array): boolean {
  const dataLength = block.length - digest.length - 1;
  if (block.at(-1) !== 0xbc || ((block[0] ?? 0) & 0x80) !== 0) return false;
  const h = block.subarray(dataLength, -1);
  const data = xor(block.subarray(0, dataLength), mask(hash, h, dataLength));
  data[0] = (data[0] ?? 0) & 0x7f;
  const saltAt = dataLength - digest.length;
  const startsRight = data.subarray(0, saltAt - 1).every((byte) => byte === 0) && data[saltAt - 1] === 1;
  return startsRight && timingSafeEqual(hashOf(hash, digest, data.subarray(saltAt)), h);
}
