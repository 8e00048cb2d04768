/** An authenticator app (RFC 6238 with SHA-1, six digits, 30 seconds), in its own words. */
import { createHmac } from 'node:crypto';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The code that the app shows for a secret in base32 at a time in seconds. */
export function totpCode(secret: string, atSeconds: number): string {
  const bits = [...secret].reduce((all, each) => all * 32n + BigInt(BASE32.indexOf(each)), 0n);
  const bytes = Math.floor((secret.length * 5) / 8);
  const key = Buffer.from((bits >> BigInt((secret.length * 5) % 8)).toString(16).padStart(bytes * 2, '0'), 'hex');
  const counter = Math.floor(atSeconds / 30);
  const mac = createHmac('sha1', key)
    .update(Buffer.from(counter.toString(16).padStart(16, '0'), 'hex'))
    .digest('hex');
  const offset = Number.parseInt(mac.slice(-1), 16) * 2;
  const digits = Number.parseInt(mac.slice(offset, offset + 8), 16) % 0x8000_0000;
  return String(digits % 1_000_000).padStart(6, '0');
}
