/** A service in its own protocol, AWS JSON, with requests signed as any client signs them. */
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Runtime } from './runtime.ts';

export type Answer = Readonly<Record<string, unknown>>;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Rejects with an error whose name is the code of the service. Bytes go out as base64, and come back as base64 text. */
export type AwsJson = (operation: string, input: Answer) => Promise<Answer>;

interface Target {
  /** The name in the signature's scope. */
  readonly service: string;
  /** What stands before the dot in `X-Amz-Target`. */
  readonly prefix: string;
  readonly version: '1.0' | '1.1';
}

/** Calls a service of a runtime, as the operator unless other credentials are given. */
export function awsJsonClient(
  { config }: Pick<Runtime, 'config'>,
  { service, prefix, version }: Target,
  credentials: Credentials = config.credentials,
): AwsJson {
  const { hostname, port, host } = new URL(config.endpoint);
  const signer = new SignatureV4({ region: config.region, credentials, service, sha256: Sha256 });
  return async (operation, input) => {
    const body = JSON.stringify(input, function (this: Record<string, unknown>, key, value: unknown) {
      const original = this[key];
      return Buffer.isBuffer(original) ? original.toString('base64') : value;
    });
    const headers = {
      host,
      'content-type': `application/x-amz-json-${version}`,
      'x-amz-target': `${prefix}.${operation}`,
    };
    const request = new HttpRequest({ method: 'POST', hostname, port: Number(port), path: '/', headers, body });
    const signed = await signer.sign(request);
    const response = await fetch(config.endpoint, { method: 'POST', headers: signed.headers, body });
    const answer = (await response.json()) as Answer;
    if (response.ok) return answer;
    throw Object.assign(new Error(String(answer.message)), { name: String(answer.__type) });
  };
}
