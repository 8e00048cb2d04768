/**
 * The address of MQTT over WebSocket at AWS IoT, signed with Signature Version 4
 * (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws). By WebCrypto, so that a page can do it.
 */
import type { Credentials } from './identity-pool.ts';

export interface MqttUrlOptions {
  /** `https://` and the host of DescribeEndpoint (`iot:Data-ATS`); the AWS endpoint of the local runtime. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
  /** Now, unless it is given. AWS takes it for five minutes. */
  readonly signedAt?: Date;
}

/** `wss://<host>/mqtt?X-Amz-Algorithm=...`. Whoever has it can connect with it for five minutes: it is not for logs. */
export async function signedMqttUrl({
  endpoint,
  region,
  credentials,
  signedAt = new Date(),
}: MqttUrlOptions): Promise<string> {
  const { host, protocol } = new URL(endpoint);
  const time = signedAt.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), region, 'iotdevicegateway', 'aws4_request'];
  // In the order of the names, as the signature wants it.
  const query = new URLSearchParams([
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', [credentials.accessKeyId, ...scope].join('/')],
    ['X-Amz-Date', time],
    ['X-Amz-SignedHeaders', 'host'],
  ]).toString();
  const request = `GET\n/mqtt\n${query}\nhost:${host}\n\nhost\n${hex(await sha256(''))}`;
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope.join('/')}\n${hex(await sha256(request))}`;
  let key = utf8(`AWS4${credentials.secretAccessKey}`);
  for (const part of scope) key = await hmac(key, part);
  const signature = hex(await hmac(key, toSign));
  // AWS IoT takes the session token beside the signature, not under it.
  const token = encodeURIComponent(credentials.sessionToken);
  const scheme = protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${host}/mqtt?${query}&X-Amz-Signature=${signature}&X-Amz-Security-Token=${token}`;
}

type Bytes = Uint8Array<ArrayBuffer>;

async function hmac(key: Bytes, text: string): Promise<Bytes> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, utf8(text)));
}

async function sha256(text: string): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text)));
}

function utf8(text: string): Bytes {
  return Uint8Array.from(new TextEncoder().encode(text));
}

function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
