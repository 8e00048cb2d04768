/** Ids that sort by the time they were made, without anybody who gives them out: https://github.com/ulid/spec */
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** How many random bytes an id takes. */
export const ULID_RANDOM_BYTES = 10;

/** 48 bits of time (epoch milliseconds) and 80 random ones, in Crockford's base 32. */
export function ulidOf(time: number, random: Uint8Array): string {
  const bits = random.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
  return digits(BigInt(time), 10) + digits(bits, 16);
}

function digits(value: bigint, length: number): string {
  return Array.from({ length }, (_, at) => CROCKFORD[Number((value >> BigInt(5 * (length - 1 - at))) & 31n)]).join('');
}
