/** The substitution table of RFC 1319, made of the digits of pi. */
const PI_SUBSTITUTION = Buffer.from(
  '292e43c9a2d87c013d3654a1ecf0061362a705f3c0c7738c98932bd9bc4c82ca' +
    '1e9b573cfdd4e01667426f188a17e512be4ec4d6da9ede49a0fbf58ebb2fee7a' +
    'a968799115b2073f94c210890b225f21807f5d9a5a903227353ecce7bff79703' +
    'ff1930b348a5b5d1d75e922aac56aac64fb838d296a47db676fc6be29c7404f1' +
    '459d705964718720865bcf65e62da8021b6025adaeb0b9f61c46616934407e0f' +
    '5547a323dd51af3ac35cf9cebac5ea262c530d6e85288409d3dfcdf441814d52' +
    '6adc37c86cc1abfa24e17b080cbdb14a7888958be363e86de9cbd5fe3b001d39' +
    'f2efb70e6658d0e4a67772f8eb754b0a314450b48fed1f1adb998d339f118314',
  'hex',
);

const BLOCK = 16;
const ROUNDS = 18;

/** MD2, which the runtime's own library no longer has (https://www.rfc-editor.org/rfc/rfc1319). */
export function md2(message: Buffer): Buffer {
  const padding = BLOCK - (message.length % BLOCK);
  const padded = Buffer.concat([message, Buffer.alloc(padding, padding)]);
  const state = Buffer.alloc(3 * BLOCK);
  const checksum = Buffer.alloc(BLOCK);
  for (let at = 0; at < padded.length; at += BLOCK) {
    const block = padded.subarray(at, at + BLOCK);
    let last = byte(checksum, BLOCK - 1);
    for (let index = 0; index < BLOCK; index += 1) {
      last = byte(checksum, index) ^ byte(PI_SUBSTITUTION, byte(block, index) ^ last);
      checksum[index] = last;
    }
    mix(state, block);
  }
  mix(state, checksum);
  return state.subarray(0, BLOCK);
}

function mix(state: Buffer, block: Buffer): void {
  for (let index = 0; index < BLOCK; index += 1) {
    state[BLOCK + index] = byte(block, index);
    state[2 * BLOCK + index] = byte(block, index) ^ byte(state, index);
  }
  let carry = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let index = 0; index < state.length; index += 1) {
      carry = byte(state, index) ^ byte(PI_SUBSTITUTION, carry);
      state[index] = carry;
    }
    carry = (carry + round) % 256;
  }
}

function byte(bytes: Buffer, index: number): number {
  return bytes[index] ?? 0;
}
