/**
 * Secure Remote Password 6a (RFC 5054's 3072-bit group, SHA-256) with the paddings and the HKDF of Amazon Cognito: the
 * server learns neither the password nor anything that would do instead of it. Published with the clients of AWS
 * (https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html).
 */
import { createHash, createHmac, getDiffieHellman, randomBytes } from 'node:crypto';

/** The 3072-bit MODP group of RFC 3526, group 15, is the one of RFC 5054. */
const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);
const G = 2n;
/** The hash of N and g as Cognito's clients write them: N with its leading zero byte, g as one byte. */
const K = hashOf(padded(N), Buffer.of(2));
const INFO = 'Caldera Derived Key';

/** What the server keeps of a password. Hexadecimal. */
export interface Verifier {
  readonly salt: string;
  readonly verifier: string;
}

export interface ServerKeys {
  /** The public value B, hexadecimal. */
  readonly publicKey: string;
  readonly privateKey: string;
}

/** The verifier for a password. `poolName` is the pool's id after the underscore. */
export function makeVerifier(poolName: string, username: string, password: string): Verifier {
  const salt = BigInt(`0x${randomBytes(16).toString('hex')}`);
  return { salt: hex(salt), verifier: hex(verifierOf(salt, poolName, username, password)) };
}

/** Whether this is the password, for flows that send it. */
export function isPassword(
  poolName: string,
  username: string,
  password: string,
  { salt, verifier }: Verifier,
): boolean {
  return hex(verifierOf(number(salt), poolName, username, password)) === verifier;
}

/** The server's part of one sign-in. */
export function makeServerKeys(verifier: string): ServerKeys {
  const b = BigInt(`0x${randomBytes(48).toString('hex')}`);
  const B = modulo(K * number(verifier) + power(G, b));
  return { publicKey: hex(B), privateKey: hex(b) };
}

/** True for a public value of a client that gives nothing away: not a multiple of N. */
export function isPublicKey(text: string): boolean {
  return /^[0-9a-f]{1,800}$/i.test(text) && number(text) % N !== 0n;
}

/** The signature that a client with the password makes over pool, user, secret block and timestamp; base64. */
export function expectedSignature(given: {
  readonly poolName: string;
  readonly username: string;
  readonly verifier: string;
  readonly clientPublicKey: string;
  readonly server: ServerKeys;
  /** Base64, as it went out. */
  readonly secretBlock: string;
  readonly timestamp: string;
}): string {
  const A = number(given.clientPublicKey);
  const u = hashOf(padded(A), padded(number(given.server.publicKey)));
  const S = power(A * power(number(given.verifier), u), number(given.server.privateKey));
  const extracted = createHmac('sha256', padded(u)).update(padded(S)).digest();
  const key = createHmac('sha256', extracted).update(`${INFO}\u0001`).digest().subarray(0, 16);
  return createHmac('sha256', key)
    .update(given.poolName)
    .update(given.username)
    .update(Buffer.from(given.secretBlock, 'base64'))
    .update(given.timestamp)
    .digest('base64');
}

function verifierOf(salt: bigint, poolName: string, username: string, password: string): bigint {
  const inner = createHash('sha256').update(`${poolName}${username}:${password}`).digest();
  return power(G, hashOf(padded(salt), inner));
}

function hashOf(...parts: readonly Buffer[]): bigint {
  return BigInt(`0x${createHash('sha256').update(Buffer.concat(parts)).digest('hex')}`);
}

/** Whole bytes, with a zero byte in front of a high bit: the form of a signed number. */
function padded(value: bigint): Buffer {
  const digits = value.toString(16);
  const even = digits.length % 2 === 1 ? `0${digits}` : digits;
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % N;
    square = (square * square) % N;
  }
  return result;
}

function modulo(value: bigint): bigint {
  return ((value % N) + N) % N;
}

function hex(value: bigint): string {
  return value.toString(16);
}

function number(text: string): bigint {
  return BigInt(`0x${text}`);
}
