import { AwsError } from '../../kernel/errors.ts';
import type { WireRequest } from '../../kernel/wire.ts';

/** A request as it came: what a signature covers is the text before any decoding. */
export interface HttpRequest extends WireRequest {
  /** The query as received, without the question mark. */
  readonly rawQuery: string;
}

/** What a request says about its signature (Signature Version 4, header or presigned). */
export interface SignatureClaim {
  readonly presigned: boolean;
  readonly accessKeyId: string;
  /** `20261121` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261121T101500Z` */
  readonly date: string;
  readonly expiresSeconds: number | undefined;
  readonly sessionToken: string | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** The service that a request is signed for, also when the rest of its signature cannot be read. */
export function signingNameOf({ headers, query }: HttpRequest): string | undefined {
  return /\/([\w-]+)\/aws4_request/.exec(headers.authorization ?? query.get('X-Amz-Credential') ?? '')?.[1];
}

/** Reads the signature of a request; undefined when it is not signed. Throws IncompleteSignature for a broken one. */
export function readSignature(request: HttpRequest): SignatureClaim | undefined {
  const { headers, query } = request;
  const authorization = headers.authorization;
  if (authorization !== undefined) {
    const [algorithm, ...rest] = authorization.split(' ');
    if (algorithm === 'AWS') throw signatureVersion2();
    requireAlgorithm(algorithm);
    const parts = new Map(
      rest
        .join('')
        .split(',')
        .map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
    );
    return claim({
      presigned: false,
      credential: parts.get('Credential'),
      signedHeaders: parts.get('SignedHeaders'),
      signature: parts.get('Signature'),
      date: headers['x-amz-date'] ?? compactDate(headers.date),
      expires: undefined,
      sessionToken: headers['x-amz-security-token'],
    });
  }
  if (query.has('AWSAccessKeyId')) throw signatureVersion2();
  if (!query.has('X-Amz-Credential') && !query.has('X-Amz-Signature')) return undefined;
  requireAlgorithm(query.get('X-Amz-Algorithm') ?? undefined);
  return claim({
    presigned: true,
    credential: query.get('X-Amz-Credential') ?? undefined,
    signedHeaders: query.get('X-Amz-SignedHeaders') ?? undefined,
    signature: query.get('X-Amz-Signature') ?? undefined,
    date: query.get('X-Amz-Date') ?? undefined,
    expires: query.get('X-Amz-Expires') ?? undefined,
    sessionToken: query.get('X-Amz-Security-Token') ?? undefined,
  });
}

function claim(given: {
  readonly presigned: boolean;
  readonly credential: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
  readonly date: string | undefined;
  readonly expires: string | undefined;
  readonly sessionToken: string | undefined;
}): SignatureClaim {
  const { presigned, signature, date, sessionToken } = given;
  const [accessKeyId, day, region, service, terminator, ...more] = given.credential?.split('/') ?? [];
  if (!accessKeyId || !day || !region || !service || terminator !== 'aws4_request' || more.length > 0) {
    throw incomplete('Credential must be <access key>/<date>/<region>/<service>/aws4_request');
  }
  if (!given.signedHeaders) throw incomplete('SignedHeaders is missing');
  if (!signature) throw incomplete('Signature is missing');
  if (!date || !/^\d{8}T\d{6}Z$/.test(date))
    throw incomplete('X-Amz-Date is missing or not of the form 20261121T101500Z');
  if (!date.startsWith(day)) throw incomplete(`Date in Credential scope (${day}) does not match X-Amz-Date (${date})`);
  // A WebSocket to AWS IoT is signed without: the address is used at once.
  if (presigned && given.expires === undefined && service !== 'iotdevicegateway')
    throw incomplete('X-Amz-Expires is missing');
  const expiresSeconds = given.expires === undefined ? undefined : Number(given.expires);
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
  if (expiresSeconds !== undefined && !(expiresSeconds >= 1 && expiresSeconds <= 604_800)) {
    throw new AwsError('AuthorizationQueryParametersError', 'X-Amz-Expires must be between 1 and 604800 seconds');
  }
  const signedHeaders = given.signedHeaders.split(';');
  return { presigned, accessKeyId, day, region, service, signedHeaders, signature, date, expiresSeconds, sessionToken };
}

function requireAlgorithm(algorithm: string | undefined): void {
  if (algorithm === ALGORITHM) return;
  throw incomplete(`Unsupported signing algorithm ${algorithm}; the local runtime verifies ${ALGORITHM}`);
}

/** Buckets made since June 2020 take no version 2; the AWS CLI v1 still presigns with it unless told otherwise. */
function signatureVersion2(): AwsError {
  return new AwsError(
    'InvalidRequest',
    'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256 ' +
      '(AWS CLI v1: aws configure set default.s3.signature_version s3v4).',
  );
}

function compactDate(date: string | undefined): string | undefined {
  if (date === undefined) return undefined;
  const parsed = new Date(date);
  if (Number.isNaN(parsed.getTime())) return undefined;
  return parsed.toISOString().replace(/\.\d{3}|[-:]/g, '');
}

function incomplete(message: string): AwsError {
  return new AwsError('IncompleteSignature', message, 403);
}

/** `20261121T101500Z` as epoch milliseconds. */
export function parseCompactDate(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
