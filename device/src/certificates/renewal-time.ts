import { createHash } from 'node:crypto';

const DAY_MS = 86_400_000;
/** Without a setting a certificate is renewed when this part of its life is left. */
const PART_LEFT = 1 / 3;
/** Devices that were made together ask one after the other, over this part of what is left. */
const SPREAD = 1 / 4;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** When a thing renews its certificate, epoch milliseconds: always the same for the same certificate, and another for other things. */
export function renewalTime(thing: string, { notBefore, notAfter }: Validity, beforeDays?: number): number {
  const life = notAfter.getTime() - notBefore.getTime();
  const left = beforeDays === undefined ? life * PART_LEFT : Math.min(beforeDays * DAY_MS, life);
  const share = createHash('sha256').update(thing).digest().readUInt32BE() / 2 ** 32;
  return notAfter.getTime() - left + share * left * SPREAD;
}
