import { createHash } from 'node:crypto';

/** The second id of a request, `x-amz-id-2`: answers and notifications carry the same. */
export function hostIdOf(requestId: string): string {
  return createHash('sha384').update(requestId).digest('base64');
}
