import { AwsError } from '../../kernel/errors.ts';

/** One page of a list; the token is the position of the next item. Throws InvalidNextToken for any other text. */
export function page<T>(
  all: readonly T[],
  size: number,
  token: string | undefined,
): { readonly items: readonly T[]; readonly NextToken: string | undefined } {
  const start = token === undefined ? 0 : Number(token);
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidNextToken', 'The next token is invalid.');
  const end = start + size;
  return { items: all.slice(start, end), NextToken: end < all.length ? String(end) : undefined };
}
