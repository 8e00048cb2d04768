import { randomBytes } from 'node:crypto';

/** One test file has one: on AWS a run must not meet what an earlier one has left. */
const SUFFIX = `_${randomBytes(4).toString('hex')}`;

/** The name with the suffix of this run: for things, CAs and sessions in message ids. No hyphen is added, since one ends a site. */
export function unique(name: string): string {
  return `${name}${SUFFIX}`;
}

/** True for what carries a name of this run: nothing else may be taken out of a queue or removed. */
export function isOfThisRun(text: string): boolean {
  return text.includes(SUFFIX);
}
