/** Names from `from` to `to`, both inclusive, in the order of their bytes. Neither has to be a name of a thing. */
export interface NameRange {
  readonly from: string;
  readonly to: string;
}

/** The first and a character beyond the last of those that names are made of. */
const FIRST = '-';
const BEYOND = '~';

/** All names that begin with it. */
export function namesWith(prefix: string): NameRange {
  return { from: prefix === '' ? FIRST : prefix, to: `${prefix}${BEYOND}` };
}

/** The names of a site's things. They follow each other: no other name lies between two of them. */
export function namesOfSite(site: string): NameRange {
  return namesWith(`${site}-`);
}

/** Undefined when nothing lies in both. */
export function inBoth(a: NameRange, b: NameRange): NameRange | undefined {
  const range = { from: inOrder(a.from, b.from) > 0 ? a.from : b.from, to: inOrder(a.to, b.to) < 0 ? a.to : b.to };
  return range.from <= range.to ? range : undefined;
}

/** What of the range lies beyond a place. */
export function beyond(range: NameRange, place: string): NameRange | undefined {
  // The next text that a name can be: the place itself and one character more.
  return inBoth(range, { from: `${place}${FIRST}`, to: range.to });
}

export function isIn(name: string, { from, to }: NameRange): boolean {
  return from <= name && name <= to;
}

/** The order in which DynamoDB sorts names: they are ASCII. */
export function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
