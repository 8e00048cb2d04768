import { timingSafeEqual } from 'node:crypto';
import type { Credentials } from '../../iam/iam.ts';
import type { Caller } from '../../kernel/caller.ts';
import { AwsError } from '../../kernel/errors.ts';
import { type ChunkSigner, decodeAwsChunked } from './aws-chunked.ts';
import { type HttpRequest, parseCompactDate, type SignatureClaim } from './scope.ts';
import { requestSignature, scopeOf, sha256, signingKey } from './sign.ts';

/** What a verification asks of the account. */
export interface Verifier {
  readonly region: string;
  /** Virtual time, epoch milliseconds. */
  now(): number;
  /** Also credentials that have expired: their users are told so. */
  find(accessKeyId: string): { readonly caller: Caller; readonly credentials: Credentials } | undefined;
}

export interface Authenticated {
  readonly caller: Caller;
  /** With the streaming framing taken away and trailers among the headers. */
  readonly request: HttpRequest;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html: requests live five minutes; S3 gives 15. */
const SKEW_MS = 15 * 60_000;
/** Services with one endpoint for the world, which sign for us-east-1 wherever the client is. */
const GLOBAL_SERVICES = new Set(['iam', 'sts']);

/**
 * Verifies the signature of a request and says who sent it.
 *
 * @throws AwsError UnrecognizedClientException, InvalidSignatureException, SignatureDoesNotMatch, ExpiredTokenException,
 *   AccessDenied (an expired presigned address), XAmzContentSHA256Mismatch
 */
export function authenticate(request: HttpRequest, claim: SignatureClaim, verifier: Verifier): Authenticated {
  const found = verifier.find(claim.accessKeyId);
  if (
    !found ||
    (found.credentials.sessionToken !== '' && !sameText(claim.sessionToken, found.credentials.sessionToken))
  ) {
    throw new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.', 403);
  }
  requireTime(claim, verifier.now());
  requireScope(claim, verifier.region);
  requireSignedHeaders(request, claim);
  const key = signingKey(found.credentials.secretAccessKey, claim);
  const signature = requestSignature(key, request, claim, payloadHash(request, claim));
  if (!sameText(claim.signature, signature)) {
    throw new AwsError(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
        'and signing method. Consult the service documentation for details.',
      403,
    );
  }
  if (found.credentials.expiresAt <= verifier.now()) {
    throw new AwsError('ExpiredTokenException', 'The security token included in the request is expired', 403);
  }
  return {
    caller: found.caller,
    request: plainBody(request, { key, date: claim.date, scope: scopeOf(claim), seed: signature }),
  };
}

function sameText(given: string | undefined, expected: string): boolean {
  if (given === undefined || given.length !== expected.length) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

/**
 * A signed request is accepted around real time, since clients sign with the machine's clock, and around virtual time,
 * since functions of the runtime sign with that. How long a presigned address lives is virtual time.
 */
function requireTime(claim: SignatureClaim, now: number): void {
  const signedAt = parseCompactDate(claim.date);
  if (claim.expiresSeconds !== undefined) {
    const expiresAt = signedAt + claim.expiresSeconds * 1000;
    if (now > expiresAt) throw new AwsError('AccessDenied', 'Request has expired', 403);
    if (signedAt > now + SKEW_MS) throw new AwsError('AccessDenied', 'Request is not valid yet', 403);
    return;
  }
  if (Math.abs(signedAt - Date.now()) <= SKEW_MS || Math.abs(signedAt - now) <= SKEW_MS) return;
  throw new AwsError(
    'InvalidSignatureException',
    `Signature expired: ${claim.date} is more than 15 minutes away from ${new Date(now).toISOString()}`,
    403,
  );
}

function requireScope(claim: SignatureClaim, region: string): void {
  if (claim.region === region || (GLOBAL_SERVICES.has(claim.service) && claim.region === 'us-east-1')) return;
  throw new AwsError(
    'InvalidSignatureException',
    `Credential should be scoped to a valid region: this runtime is ${region}, the request is for ${claim.region}.`,
    403,
  );
}

/** An unsigned `x-amz-*` header could be added by someone in between, or by whoever has a presigned address. */
function requireSignedHeaders(request: HttpRequest, claim: SignatureClaim): void {
  const signed = new Set(claim.signedHeaders);
  const unsigned =
    signed.has('host') || signed.has(':authority')
      ? Object.keys(request.headers).find(
          (name) => name.startsWith('x-amz-') && !signed.has(name) && !UNSIGNED_BY_CLIENTS.has(name),
        )
      : 'host';
  if (unsigned === undefined) return;
  if (claim.presigned && claim.service === 's3') {
    throw new AwsError('AccessDenied', 'There were headers present in the request which were not signed', 403, {
      HeadersNotSigned: unsigned,
    });
  }
  throw new AwsError('InvalidSignatureException', `The header '${unsigned}' must be a 'SignedHeader'.`, 403);
}

const UNSIGNED_BY_CLIENTS = new Set(['x-amz-decoded-content-length', 'x-amz-user-agent']);

function payloadHash(request: HttpRequest, claim: SignatureClaim): string {
  const declared = request.headers['x-amz-content-sha256'];
  if (declared === undefined) {
    return claim.presigned && claim.service === 's3' ? 'UNSIGNED-PAYLOAD' : sha256(request.body);
  }
  if (/^[0-9a-f]{64}$/.test(declared) && declared !== sha256(request.body)) {
    throw new AwsError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return declared;
}

function plainBody(request: HttpRequest, signer: ChunkSigner): HttpRequest {
  const declared = request.headers['x-amz-content-sha256'] ?? '';
  if (!declared.startsWith('STREAMING-')) return request;
  const { body, trailers } = decodeAwsChunked(request.body, declared.includes('HMAC') ? signer : undefined);
  const { 'x-amz-decoded-content-length': decodedLength, ...headers } = request.headers;
  if (decodedLength !== undefined && Number(decodedLength) !== body.length) {
    throw new AwsError('IncompleteBody', `The body has ${body.length} bytes; ${decodedLength} were announced`);
  }
  const announced = (headers['x-amz-trailer'] ?? '').split(',').map((each) => each.trim().toLowerCase());
  const missing = announced.find((each) => each !== '' && trailers[each] === undefined);
  if (missing !== undefined) {
    throw new AwsError('MalformedTrailerError', `The trailer ${missing} was announced and is not there`);
  }
  const encoding = (headers['content-encoding'] ?? '').split(',').map((each) => each.trim());
  const kept = encoding.filter((each) => each !== '' && each !== 'aws-chunked').join(', ');
  const plain: Record<string, string> = { ...headers, ...trailers, 'content-length': String(body.length) };
  delete plain['content-encoding'];
  if (kept !== '') plain['content-encoding'] = kept;
  return { ...request, headers: plain, body };
}
