/**
 * Signature Version 4 as the receiving side computes it
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 */
import { createHash, createHmac } from 'node:crypto';
import type { HttpRequest, SignatureClaim } from './scope.ts';

/** Hex SHA-256. */
export function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

const KEPT_KEYS = 512;
const keys = new Map<string, Buffer>();

/** The key of a scope; the last ones are kept, since deriving one takes four HMACs. */
export function signingKey(secret: string, { day, region, service }: SignatureClaim): Buffer {
  const id = `${secret}/${day}/${region}/${service}`;
  const kept = keys.get(id);
  if (kept) return kept;
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), 'aws4_request');
  if (keys.size >= KEPT_KEYS) keys.clear();
  keys.set(id, key);
  return key;
}

/** `20261121/us-east-1/s3/aws4_request` */
export function scopeOf({ day, region, service }: SignatureClaim): string {
  return `${day}/${region}/${service}/aws4_request`;
}

/** The signature of a request with this payload hash. */
export function requestSignature(
  key: Buffer,
  request: HttpRequest,
  claim: SignatureClaim,
  payloadHash: string,
): string {
  const canonical = [
    request.method,
    canonicalPath(request.path, claim.service),
    canonicalQuery(request.rawQuery, claim),
    ...claim.signedHeaders.map((name) => `${name}:${canonicalHeader(headerOf(request, name))}`),
    '',
    claim.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  return textSignature(key, ['AWS4-HMAC-SHA256', claim.date, scopeOf(claim), sha256(canonical)]);
}

/** The signature of a string to sign, given by its lines. */
export function textSignature(key: Buffer, lines: readonly string[]): string {
  return hmac(key, lines.join('\n')).toString('hex');
}

/** Over HTTP/2 clients sign the host under its name there. */
function headerOf(request: HttpRequest, name: string): string {
  return request.headers[name === ':authority' ? 'host' : name] ?? '';
}

function canonicalHeader(value: string): string {
  return value.trim().replace(/ +/g, ' ');
}

/** S3 signs the path as it is sent; every other service normalizes it and encodes it once more. */
function canonicalPath(path: string, service: string): string {
  if (service === 's3') return path;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const normalized = `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`;
  return normalized.split('/').map(encode).join('/');
}

function canonicalQuery(raw: string, { presigned, service }: SignatureClaim): string {
  if (raw === '') return '';
  return (
    raw
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const at = pair.indexOf('=');
        const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
        return [encode(decode(name)), encode(decode(value))] as const;
      })
      .filter(([name]) => !(presigned && name === 'X-Amz-Signature'))
      // AWS IoT wants it added after signing (protocols, MQTT over WebSocket).
      .filter(([name]) => !(service === 'iotdevicegateway' && name === 'X-Amz-Security-Token'))
      .toSorted(([nameA, a], [nameB, b]) => compare(nameA, nameB) || compare(a, b))
      .map(([name, value]) => `${name}=${value}`)
      .join('&')
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 3986: everything but unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}
