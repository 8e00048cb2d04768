/**
 * The client's side of the Secure Remote Password protocol as Amazon Cognito has it: the password proves itself and does not
 * leave this process. RFC 5054 has the group; how the proof is built, Cognito's published clients say
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html).
 */

/** RFC 5054, appendix A: the prime of the 3072-bit group, whose generator is 2. */
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
const GENERATOR = 2n;
/** RFC 5054, 2.5.4, asks for 32 at least; with more of them a telephone calculates for longer. */
const SECRET_BYTES = 48;
const KEY_BITS = 128;
const INFO = 'Caldera Derived Key';

type Bytes = Uint8Array<ArrayBuffer>;

/** What Cognito answers to the public key. */
export interface SrpChallenge {
  readonly SALT: string;
  readonly SRP_B: string;
  readonly SECRET_BLOCK: string;
  readonly USER_ID_FOR_SRP: string;
}

export interface SrpSignIn {
  /** `SRP_A`, in hex. */
  readonly publicKey: string;
  /** The responses to PASSWORD_VERIFIER. @throws Error for a challenge with which the password would be given away */
  answer(challenge: SrpChallenge, password: string, at: Date): Promise<Readonly<Record<string, string>>>;
}

/** One sign-in to the pool with this id (`eu-central-1_AbCdEfGhI`). Not to be used twice. */
export function beginSrp(userPoolId: string): SrpSignIn {
  const secret = toNumber(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
  const publicKey = power(GENERATOR, secret);
  const poolName = userPoolId.slice(userPoolId.indexOf('_') + 1);
  return {
    publicKey: publicKey.toString(16),
    async answer({ SALT, SRP_B, SECRET_BLOCK, USER_ID_FOR_SRP }, password, at) {
      const serverKey = BigInt(`0x${SRP_B}`);
      const scrambling = toNumber(await sha256(join(padded(publicKey), padded(serverKey))));
      if (serverKey % N === 0n || scrambling === 0n) throw new Error('the user pool sent a key that is none');
      const multiplier = toNumber(await sha256(join(padded(N), padded(GENERATOR))));
      const identity = await sha256(utf8(`${poolName}${USER_ID_FOR_SRP}:${password}`));
      const x = toNumber(await sha256(join(padded(BigInt(`0x${SALT}`)), identity)));
      const base = (((serverKey - multiplier * power(GENERATOR, x)) % N) + N) % N;
      const shared = power(base, secret + scrambling * x);
      const key = await derive(padded(shared), padded(scrambling));
      const TIMESTAMP = timestamp(at);
      const message = join(utf8(poolName + USER_ID_FOR_SRP), fromBase64(SECRET_BLOCK), utf8(TIMESTAMP));
      return {
        USERNAME: USER_ID_FOR_SRP,
        PASSWORD_CLAIM_SECRET_BLOCK: SECRET_BLOCK,
        PASSWORD_CLAIM_SIGNATURE: toBase64(await hmac(key, message)),
        TIMESTAMP,
      };
    },
  };
}

/** Modulo the prime. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base % N;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % N;
    factor = (factor * factor) % N;
  }
  return result;
}

/** As Java writes a number: whole bytes, and a zero before a first bit that would be a sign. */
function padded(value: bigint): Bytes {
  const digits = value.toString(16);
  const even = digits.length % 2 === 1 ? `0${digits}` : digits;
  const hex = /^[89a-f]/.test(even) ? `00${even}` : even;
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function toNumber(bytes: Bytes): bigint {
  return BigInt(`0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`);
}

async function derive(shared: Bytes, salt: Bytes): Promise<Bytes> {
  const material = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8(INFO) };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, material, KEY_BITS));
}

async function hmac(key: Bytes, message: Bytes): Promise<Bytes> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message));
}

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

function join(...parts: readonly Bytes[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function utf8(text: string): Bytes {
  return Uint8Array.from(new TextEncoder().encode(text));
}

function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function toBase64(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes));
}

/** `Sat Nov 21 10:15:00 UTC 2026`, the day of the month without a leading zero. */
function timestamp(at: Date): string {
  const [day = '', date, month = '', year = '', time = ''] = at.toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${Number(date)} ${time} UTC ${year}`;
}
