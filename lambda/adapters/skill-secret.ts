import { createHash, createHmac } from 'node:crypto';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';

const TIMEOUT_MS = 3_000;
const SERVICE = 'secretsmanager';
const SIGNED_HEADERS = 'content-type;host;x-amz-date;x-amz-security-token;x-amz-target';

const Answer = v.object({ SecretString: v.pipe(v.string(), v.minLength(1)) });

/** Secrets Manager did not give the secret. The message has nothing of its answer but the status. */
export class SecretUnreadableError extends Error {
  override readonly name = 'SecretUnreadableError';
}

export interface SecretsManagerOptions {
  readonly region: string;
  /** `https://secretsmanager.<region>.amazonaws.com` unless it is given. */
  readonly endpoint: string | undefined;
  credentials(): Promise<{
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  }>;
}

/**
 * Reads a secret's text. One operation, signed here (Signature Version 4), is a hundredth of the code of the service's client.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function secretReader(options: SecretsManagerOptions): (secretId: string) => Promise<string> {
  return async (SecretId) => {
    const { region, endpoint = `https://${SERVICE}.${region}.amazonaws.com` } = options;
    const body = JSON.stringify({ SecretId });
    const headers = await signed(body, new URL(endpoint).host, options);
    const request = { method: 'POST', headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const response = await fetch(endpoint, request);
    if (!response.ok) throw new SecretUnreadableError(`Secrets Manager answered ${response.status}`);
    const answer = validate(Answer, await response.json());
    if (!answer.ok) throw new SecretUnreadableError('the secret has no text');
    return answer.value.SecretString;
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html. Signatures are of real time. */
async function signed(body: string, host: string, { region, credentials }: SecretsManagerOptions) {
  const { accessKeyId, secretAccessKey, sessionToken = '' } = await credentials();
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    host,
    'x-amz-date': date,
    'x-amz-security-token': sessionToken,
    'x-amz-target': 'secretsmanager.GetSecretValue',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = ['POST', '/', '', lines.join(''), SIGNED_HEADERS, sha256(body)].join('\n');
  const scope = [date.slice(0, 8), region, SERVICE, 'aws4_request'];
  const text = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${secretAccessKey}`);
  const { host: _, ...sent } = headers;
  const signature = hmac(key, text).toString('hex');
  const credential = `${accessKeyId}/${scope.join('/')}`;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
