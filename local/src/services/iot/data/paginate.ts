import { invalidRequest } from './data-operation.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** What the next request has to send; undefined on the last page. */
  readonly nextToken: string | undefined;
}

/**
 * One page of a list.
 *
 * @throws AwsError InvalidRequestException when the size is out of range or the token is none of ours
 */
export function paginate<T>(all: readonly T[], nextToken: string | undefined, size: number, largest: number): Page<T> {
  if (!Number.isInteger(size) || size < 1 || size > largest) throw invalidRequest(`the page size is 1 to ${largest}`);
  const start = nextToken === undefined ? 0 : Number(Buffer.from(nextToken, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) throw invalidRequest('invalid nextToken');
  const end = start + size;
  return {
    items: all.slice(start, end),
    nextToken: end < all.length ? Buffer.from(String(end)).toString('base64url') : undefined,
  };
}
