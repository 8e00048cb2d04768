import { invalidRequest } from './errors.ts';

const DEFAULT_SIZE = 25;
const LARGEST_SIZE = 250;

export interface PageRequest {
  readonly size: number | undefined;
  /** `marker` or `nextToken` of the request. */
  readonly token: string | undefined;
  readonly descending?: boolean;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** What the next request has to send; undefined on the last page. */
  readonly next: string | undefined;
}

/**
 * One page of a list, ordered by key. The token is the key of the last item given, so that a list that shrinks meanwhile
 * skips nothing.
 *
 * @throws AwsError InvalidRequestException when the size is out of range
 */
export function page<T>(all: Iterable<T>, keyOf: (item: T) => string, request: PageRequest): Page<T> {
  const { size = DEFAULT_SIZE, token, descending = false } = request;
  if (!Number.isInteger(size) || size < 1 || size > LARGEST_SIZE) {
    throw invalidRequest(`the page size is ${size}; it has to be 1 to ${LARGEST_SIZE}`);
  }
  const comesBefore = (a: string, b: string) => (descending ? a > b : a < b);
  const after = token === undefined ? undefined : Buffer.from(token, 'base64url').toString();
  const left = [...all]
    .filter((item) => after === undefined || comesBefore(after, keyOf(item)))
    .sort((a, b) => (comesBefore(keyOf(a), keyOf(b)) ? -1 : 1));
  const items = left.slice(0, size);
  const last = items.at(-1);
  const hasMore = left.length > size && last !== undefined;
  return { items, next: hasMore ? Buffer.from(keyOf(last)).toString('base64url') : undefined };
}

/** The key by which AWS lists certificates and policies: the time of creation, then the id. */
export function byCreation(createdAt: number, id: string): string {
  return `${String(createdAt).padStart(15, '0')}/${id}`;
}
