import { randomBytes } from 'node:crypto';

/** A new X-Ray trace header, not sampled. `now` is virtual time in epoch milliseconds. */
export function newTraceId(now: number): string {
  const seconds = Math.floor(now / 1000)
    .toString(16)
    .padStart(8, '0');
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}
