import { invalidParameter } from './errors.ts';

/** Every list of SNS comes in pages of 100. */
const PAGE_SIZE = 100;

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly NextToken: string | undefined;
}

/** One page of a list. `token` is the NextToken of the page before. Throws InvalidParameter for any other. */
export function page<Item>(all: readonly Item[], token: string | undefined): Page<Item> {
  const start = token === undefined || token === '' ? 0 : Number(Buffer.from(token, 'base64').toString('utf8'));
  if (!Number.isInteger(start) || start < 0) throw invalidParameter('NextToken');
  const end = start + PAGE_SIZE;
  return {
    items: all.slice(start, end),
    NextToken: end < all.length ? Buffer.from(String(end)).toString('base64') : undefined,
  };
}
