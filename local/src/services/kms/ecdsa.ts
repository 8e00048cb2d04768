/**
 * ECDSA over a digest. Node's `sign` hashes what it is given, and KMS also signs digests; point multiplication is
 * left to OpenSSL, by way of ECDH.
 */
import { createECDH, type KeyObject, randomBytes } from 'node:crypto';

interface Curve {
  readonly name: string;
  readonly bytes: number;
  readonly order: bigint;
}

const P256: Curve = {
  name: 'prime256v1',
  bytes: 32,
  order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
};
const P384: Curve = {
  name: 'secp384r1',
  bytes: 48,
  order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

function curveOf(key: KeyObject): Curve {
  return key.asymmetricKeyDetails?.namedCurve === P384.name ? P384 : P256;
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
}

function toBytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}

function modulo(value: bigint, order: bigint): bigint {
  return ((value % order) + order) % order;
}

/** By Fermat's little theorem: the orders are prime. */
function inverse(value: bigint, order: bigint): bigint {
  let result = 1n;
  for (let base = value, exponent = order - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % order;
    base = (base * base) % order;
  }
  return result;
}

/** The x coordinate of a multiple of the generator, as an integer of the order's field. */
function xOfMultiple({ name, bytes, order }: Curve, factor: bigint): bigint {
  const ecdh = createECDH(name);
  ecdh.setPrivateKey(toBytes(factor, bytes));
  return toInteger(ecdh.getPublicKey().subarray(1, 1 + bytes)) % order;
}

function scalarOf(key: KeyObject): bigint {
  return toInteger(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
}

function randomScalar({ bytes, order }: Curve): bigint {
  for (;;) {
    const value = toInteger(randomBytes(bytes));
    if (value > 0n && value < order) return value;
  }
}

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const signed = (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
  return Buffer.concat([Buffer.from([2, signed.length]), signed]);
}

/** Both integers of a DER signature, undefined when it is none. */
function readDer(signature: Uint8Array): readonly [bigint, bigint] | undefined {
  const [tag, length, firstTag, firstLength = 0] = signature;
  const second = 4 + firstLength;
  const secondLength = signature[second + 1] ?? 0;
  const isWhole = length === signature.length - 2 && second + 2 + secondLength === signature.length;
  if (tag !== 0x30 || firstTag !== 2 || signature[second] !== 2 || !isWhole) return undefined;
  return [toInteger(signature.subarray(4, second)), toInteger(signature.subarray(second + 2))];
}

/** Signs a digest as long as the curve's order; the signature is in DER, as KMS answers it. */
export function signDigest(key: KeyObject, digest: Uint8Array): Buffer {
  const curve = curveOf(key);
  const nonce = randomScalar(curve);
  const r = xOfMultiple(curve, nonce);
  const s = modulo(inverse(nonce, curve.order) * (toInteger(digest) + r * scalarOf(key)), curve.order);
  if (r === 0n || s === 0n) return signDigest(key, digest);
  const integers = Buffer.concat([derInteger(r), derInteger(s)]);
  return Buffer.concat([Buffer.from([0x30, integers.length]), integers]);
}

/** Verifies with the private key, which KMS has: the two multiples of the textbook become one. */
export function verifyDigest(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const curve = curveOf(key);
  const { order } = curve;
  const [r, s] = readDer(signature) ?? [0n, 0n];
  if (r <= 0n || s <= 0n || r >= order || s >= order) return false;
  const factor = modulo(inverse(s, order) * (toInteger(digest) + r * scalarOf(key)), order);
  return factor !== 0n && xOfMultiple(curve, factor) === r;
}
