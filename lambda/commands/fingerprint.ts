import { createHash } from 'node:crypto';

/** SHA-256 in hex of a JSON value, whatever the order of its members: the same request is the same hash. */
export function fingerprintOf(value: unknown): string {
  const sorted = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
  return createHash('sha256').update(sorted).digest('hex');
}
