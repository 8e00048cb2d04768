/**
 * The client's side of Cognito's SRP, from the published algorithm and in its own words: nothing is shared with the
 * runtime, so that both cannot have the same mistake. The group's prime is written out, as clients have it.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';

/** RFC 5054, appendix A, the 3072-bit group. */
const PRIME = [
  'FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B',
  '302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6',
  '49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D',
  '670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718',
  '3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D',
  'B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C',
  'BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF',
].join('');
const N = BigInt(`0x${PRIME}`);
const g = 2n;

function powmod(base: bigint, exponent: bigint): bigint {
  if (exponent === 0n) return 1n;
  const half = powmod(base, exponent / 2n);
  const square = (half * half) % N;
  return exponent % 2n === 0n ? square : (square * base) % N;
}

function padHex(value: bigint): string {
  const digits = value.toString(16);
  if (digits.length % 2 === 1) return `0${digits}`;
  return '89abcdef'.includes(digits[0] ?? '') ? `00${digits}` : digits;
}

function hexHash(hex: string): bigint {
  return BigInt(`0x${createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')}`);
}

export interface Challenge {
  readonly SALT: string;
  readonly SRP_B: string;
  readonly SECRET_BLOCK: string;
  readonly USER_ID_FOR_SRP: string;
}

/** One sign-in: `publicKey` goes out as SRP_A, `answer` gives the responses to PASSWORD_VERIFIER. */
export function srpClient(poolId: string) {
  const a = BigInt(`0x${randomBytes(128).toString('hex')}`) % N;
  const A = powmod(g, a);
  const poolName = poolId.split('_')[1] ?? '';
  return {
    publicKey: A.toString(16),
    answer({ SALT, SRP_B, SECRET_BLOCK, USER_ID_FOR_SRP }: Challenge, password: string, at = new Date()) {
      const B = BigInt(`0x${SRP_B}`);
      const u = hexHash(padHex(A) + padHex(B));
      const k = hexHash(`00${PRIME}02`);
      const secret = createHash('sha256').update(`${poolName}${USER_ID_FOR_SRP}:${password}`).digest('hex');
      const x = hexHash(padHex(BigInt(`0x${SALT}`)) + secret);
      const base = (((B - k * powmod(g, x)) % N) + N) % N;
      const S = powmod(base, a + u * x);
      const prk = createHmac('sha256', Buffer.from(padHex(u), 'hex'))
        .update(Buffer.from(padHex(S), 'hex'))
        .digest();
      const info = Buffer.concat([Buffer.from('Caldera Derived Key'), Buffer.of(1)]);
      const key = createHmac('sha256', prk).update(info).digest().subarray(0, 16);
      const TIMESTAMP = timestamp(at);
      const message = [
        Buffer.from(poolName + USER_ID_FOR_SRP),
        Buffer.from(SECRET_BLOCK, 'base64'),
        Buffer.from(TIMESTAMP),
      ];
      return {
        USERNAME: USER_ID_FOR_SRP,
        PASSWORD_CLAIM_SECRET_BLOCK: SECRET_BLOCK,
        PASSWORD_CLAIM_SIGNATURE: createHmac('sha256', key).update(Buffer.concat(message)).digest('base64'),
        TIMESTAMP,
      };
    },
  };
}

/** `Sat Nov 21 10:15:00 UTC 2026` */
function timestamp(at: Date): string {
  const [day, date, month, year, time] = at.toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${Number(date)} ${time} UTC ${year}`;
}
