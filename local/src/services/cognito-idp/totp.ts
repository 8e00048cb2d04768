/** Time-based one-time passwords (RFC 6238) as authenticator apps make them: SHA-1, six digits, steps of 30 seconds. */
import { createHmac, randomBytes } from 'node:crypto';
import { sameText } from './client-access.ts';

const STEP_MS = 30_000;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** "Amazon Cognito also accepts TOTP tokens that are one 30-second window early or late" (user-pool-settings-mfa-totp). */
const WINDOWS = [0, -1, 1];
/** 160 bits, as RFC 4226 recommends: 32 characters of base32. */
const SECRET_BYTES = 20;

/** A new secret, base32. */
export function newTotpSecret(): string {
  let bits = '';
  for (const byte of randomBytes(SECRET_BYTES)) bits += byte.toString(2).padStart(8, '0');
  return bits.replace(/.{5}/g, (five) => ALPHABET[Number.parseInt(five, 2)] ?? '');
}

/** The step of time that this code is for, near `now` (epoch milliseconds); undefined when it is wrong. */
export function matchTotp(secret: string, code: string, now: number): number | undefined {
  const step = Math.floor(now / STEP_MS);
  return WINDOWS.map((window) => step + window).find((each) => sameText(code, codeOf(secret, each)));
}

/** RFC 4226, 5.3. */
function codeOf(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', keyOf(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0xf;
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

function keyOf(secret: string): Buffer {
  const bits = [...secret].map((each) => ALPHABET.indexOf(each).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
