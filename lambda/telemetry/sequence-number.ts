/** True when `a` is later in its shard than `b`: sequence numbers of Kinesis are decimal numbers beyond 2^53. */
export function isAfter(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** The earliest of some sequence numbers of one shard; undefined when there is none. */
export function earliest(sequenceNumbers: Iterable<string>): string | undefined {
  let first: string | undefined;
  for (const each of sequenceNumbers) if (first === undefined || isAfter(first, each)) first = each;
  return first;
}
