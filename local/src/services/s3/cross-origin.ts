import { AwsError } from '../../kernel/errors.ts';
import type { Service } from '../../kernel/service.ts';
import type { WireProtocol, WireRequest } from '../../kernel/wire.ts';
import type { Bucket } from './bucket.ts';
import type { Buckets } from './buckets.ts';
import { answerHeaders, preflightHeaders } from './cors.ts';
import { addressOf } from './wire/routes.ts';

/** What S3 has to say to browsers: it answers their preflights, which nobody signs, and adds headers to what they ask for then. */
export function crossOrigin(
  buckets: Buckets,
  { encode, encodeError }: WireProtocol,
): Required<Pick<Service, 'unsigned' | 'complete'>> {
  const bucketOf = ({ path }: WireRequest): Bucket | undefined => buckets.find(addressOf(path).bucket);
  return {
    unsigned(request, requestId) {
      const bucket = request.method === 'OPTIONS' ? bucketOf(request) : undefined;
      if (!bucket) return undefined;
      try {
        const headers = preflightHeaders(request, bucket.settings.cors);
        const answer = encode('OPTIONS', {}, requestId);
        return Promise.resolve({ ...answer, headers: { ...answer.headers, ...headers } });
      } catch (error) {
        if (error instanceof AwsError) return Promise.resolve(encodeError(error, requestId));
        throw error;
      }
    },
    complete(request, answer) {
      const { cors = [] } = bucketOf(request)?.settings ?? {};
      return { ...answer, headers: { ...answer.headers, ...answerHeaders(request, cors) } };
    },
  };
}
