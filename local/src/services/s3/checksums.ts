/** The checksums that S3 verifies and keeps ("Checking object integrity" in the user guide). */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../../kernel/errors.ts';

export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64, the most significant byte first; `-` and the number of parts follow when it is composite. */
  readonly value: string;
  /** True for the checksum over the checksums of the parts. */
  readonly isComposite?: true;
}

const BYTE_VALUES = 256;

function crc32cTable(): Uint32Array {
  const table = new Uint32Array(BYTE_VALUES);
  for (let index = 0; index < BYTE_VALUES; index += 1) {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    table[index] = value >>> 0;
  }
  return table;
}

/** Two tables, for the high and the low half of each 64-bit entry: BigInt would be far too slow per byte. */
function crc64Tables(): { readonly high: Uint32Array; readonly low: Uint32Array } {
  const [high, low] = [new Uint32Array(BYTE_VALUES), new Uint32Array(BYTE_VALUES)];
  const polynomial = 0x9a6c9329ac4bc9b5n;
  for (let index = 0; index < BYTE_VALUES; index += 1) {
    let value = BigInt(index);
    for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    high[index] = Number(value >> 32n);
    low[index] = Number(value & 0xffffffffn);
  }
  return { high, low };
}

const CRC32C = crc32cTable();
const CRC64 = crc64Tables();

function crc32c(body: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of body) crc = (CRC32C[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function crc64(body: Uint8Array): Buffer {
  let [high, low] = [0xffffffff, 0xffffffff];
  for (const byte of body) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | ((high & 0xff) << 24)) ^ (CRC64.low[index] ?? 0);
    high = (high >>> 8) ^ (CRC64.high[index] ?? 0);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(~high >>> 0, 0);
  bytes.writeUInt32BE(~low >>> 0, 4);
  return bytes;
}

function fourBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** The checksum of a body in base64. */
export function checksumOf(algorithm: ChecksumAlgorithm, body: Uint8Array): string {
  switch (algorithm) {
    case 'CRC32':
      return fourBytes(crc32(body)).toString('base64');
    case 'CRC32C':
      return fourBytes(crc32c(body)).toString('base64');
    case 'CRC64NVME':
      return crc64(body).toString('base64');
    case 'SHA1':
      return createHash('sha1').update(body).digest('base64');
    case 'SHA256':
      return createHash('sha256').update(body).digest('base64');
  }
}

/** The member of a request or answer that carries this checksum. */
export function checksumMember(algorithm: ChecksumAlgorithm): `Checksum${ChecksumAlgorithm}` {
  return `Checksum${algorithm}`;
}

export type ChecksumMembers = { readonly [Name in `Checksum${ChecksumAlgorithm}`]?: string | undefined };

interface Integrity extends ChecksumMembers {
  readonly ContentMD5?: string | undefined;
  readonly ChecksumAlgorithm?: string | undefined;
}

/**
 * Verifies what the request says about its body, and gives the checksum to keep: the one that was sent, or CRC64NVME,
 * which S3 computes itself; undefined stands for that, since it is computed only when somebody asks for it.
 *
 * @throws AwsError BadDigest, InvalidDigest, InvalidRequest
 */
export function verifyIntegrity(request: Integrity, body: Uint8Array): Checksum | undefined {
  const { ContentMD5 } = request;
  if (ContentMD5 !== undefined) {
    if (Buffer.from(ContentMD5, 'base64').length !== 16) {
      throw new AwsError('InvalidDigest', 'The Content-MD5 you specified was invalid.');
    }
    if (createHash('md5').update(body).digest('base64') !== ContentMD5) {
      throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
  }
  const sent = CHECKSUM_ALGORITHMS.filter((algorithm) => request[checksumMember(algorithm)] !== undefined);
  const [algorithm, second] = sent;
  if (second !== undefined) {
    throw new AwsError(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  if (algorithm === undefined) {
    if (request.ChecksumAlgorithm === undefined) return undefined;
    throw new AwsError(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  if (request.ChecksumAlgorithm !== undefined && request.ChecksumAlgorithm !== algorithm) {
    throw new AwsError('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  const value = request[checksumMember(algorithm)] ?? '';
  const actual = checksumOf(algorithm, body);
  if (Buffer.from(value, 'base64').length !== Buffer.from(actual, 'base64').length) {
    throw new AwsError('InvalidRequest', `Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`);
  }
  if (value !== actual)
    throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
  return { algorithm, value };
}
