/** The way back of a device whose certificate has expired, so that it cannot connect. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type RenewalRequest, renewalProof } from '@thingstead/contracts/certificates';
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';
import type { Identity } from '../identity.ts';

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const Answer = v.object({ certificate: v.string() });

export interface Expired {
  /** PEM. */
  readonly certificate: string;
  readonly key: Identity['key'];
  /** PKCS#10, in PEM; undefined for another certificate of the same key. */
  readonly csr: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Signs with the key of an expired certificate, as `renewalProof` is signed. Rejects when the key cannot be used. */
export type SignProof = (proof: Buffer, expired: Expired, signal: AbortSignal) => Promise<Buffer>;

/** What the cloud answers to such a request. */
export type Recovered =
  | { readonly ok: true; readonly certificate: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Asks for the next certificate with a signature of the old key. Not with `fetch`: its parser is WebAssembly, which the service's
 * `--jitless` does not have. Never rejects.
 *
 * @param url of the route `POST /certificates/renewals`.
 */
export async function renewOverHttps(
  url: string,
  expired: Expired,
  signProof: SignProof,
  signal: AbortSignal,
): Promise<Recovered> {
  try {
    const { certificate, csr, at } = expired;
    const asked = { certificate, at, ...(csr !== undefined && { csr }) };
    const signature = await signProof(Buffer.from(renewalProof(asked)), expired, signal);
    const body = { ...asked, signature: signature.toString('base64') } satisfies RenewalRequest;
    const { status, text } = await post(url, JSON.stringify(body), signal);
    if (status !== 200) return { ok: false, reason: `the cloud answered ${status}: ${text.slice(0, 500)}` };
    const answer = validate(Answer, JSON.parse(text));
    return answer.ok ? { ok: true, certificate: answer.value.certificate } : { ok: false, reason: answer.reason };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function post(url: string, body: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', headers, signal, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER_BYTES) sent.destroy(new Error('the answer is too long'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('the cloud does not answer')));
    sent.on('error', reject);
    sent.end(body);
  });
}
