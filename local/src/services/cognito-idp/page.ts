import { invalidParameter } from './errors.ts';

/** "Limit … Maximum value of 60." */
const LARGEST_PAGE = 60;

/** One page of a list; the token is the place where the next one begins. Throws InvalidParameterException. */
export function page<Item>(
  all: readonly Item[],
  size: number | undefined,
  token: string | undefined,
): { readonly items: readonly Item[]; readonly next: string | undefined } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString());
  const length = size ?? LARGEST_PAGE;
  if (!Number.isInteger(start) || start < 0) throw invalidParameter('Invalid pagination token');
  if (!Number.isInteger(length) || length < 1 || length > LARGEST_PAGE) {
    throw invalidParameter(`A page has 1 to ${LARGEST_PAGE} entries`);
  }
  const end = start + length;
  return {
    items: all.slice(start, end),
    next: end < all.length ? Buffer.from(String(end)).toString('base64') : undefined,
  };
}
