/**
 * The signed address of a WebSocket to AWS IoT, as its documentation builds it: only the host is signed, and the session
 * token is added after signing
 * (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws). Written in its own words: nothing is
 * shared with the runtime, so that both cannot have the same mistake.
 */
import { createHash, createHmac } from 'node:crypto';

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface SignedUrlOptions {
  /** `http://127.0.0.1:4566`, `https://<host>`. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: SigningCredentials;
  readonly signedAt?: Date;
  /** Without it the address has no `X-Amz-Expires`. */
  readonly expiresSeconds?: number;
}

/** `wss://<host>/mqtt?X-Amz-Algorithm=...` */
export function signedWebSocketUrl(options: SignedUrlOptions): string {
  const { endpoint, region, credentials, signedAt = new Date(), expiresSeconds } = options;
  const { host, protocol } = new URL(endpoint);
  const date = signedAt.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${date.slice(0, 8)}/${region}/iotdevicegateway/aws4_request`;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${credentials.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${date}`,
    ...(expiresSeconds === undefined ? [] : [`X-Amz-Expires=${expiresSeconds}`]),
    'X-Amz-SignedHeaders=host',
  ].join('&');
  const canonical = ['GET', '/mqtt', query, `host:${host}`, '', 'host', sha256('')].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const token = credentials.sessionToken ? `&X-Amz-Security-Token=${encodeURIComponent(credentials.sessionToken)}` : '';
  const scheme = protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${host}/mqtt?${query}&X-Amz-Signature=${hmac(key, text).toString('hex')}${token}`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
