/** Requests that leave the runtime: notifications of SNS, the HTTP action of rules. They reach this machine only. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { getCACertificates } from 'node:tls';

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** For the whole exchange, in milliseconds of real time. */
  readonly timeoutMs: number;
  /** A longer answer counts as a failure. */
  readonly maxAnswerBytes?: number;
}

/** Posts and gives the status. Rejects when there is no answer; NotLoopback for another machine. */
export type Post = (url: string, options: PostOptions) => Promise<number>;

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/i;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** The address is another machine's; trying again does not help. */
export class NotLoopback extends Error {
  constructor(url: string) {
    super(`The local runtime sends requests to this machine only (localhost, 127.0.0.1), not to ${url}`);
  }
}

/** Trusts what Node.js trusts (NODE_EXTRA_CA_CERTS included) and the runtime's own root. `rootCaFile` may be empty. */
export function createPost(rootCaFile: string): Post {
  let ca: readonly string[] | undefined;
  const trusted = () => {
    ca ??= [...getCACertificates('default'), ...(rootCaFile === '' ? [] : [readFileSync(rootCaFile, 'utf8')])];
    return [...ca];
  };
  return async (text, options) => {
    const url = new URL(text);
    if (!LOOPBACK.test(url.hostname)) throw new NotLoopback(text);
    const { headers, body, timeoutMs } = options;
    const request = {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      agent: false,
    };
    return url.protocol === 'https:'
      ? exchange(https.request(url, { ...request, ca: trusted(), signal: AbortSignal.timeout(timeoutMs) }), options)
      : exchange(http.request(url, { ...request, signal: AbortSignal.timeout(timeoutMs) }), options);
  };
}

function exchange(request: http.ClientRequest, options: PostOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (answer) => {
      let length = 0;
      answer.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > (options.maxAnswerBytes ?? MAX_ANSWER_BYTES)) {
          request.destroy(new Error(`the answer is longer than ${options.maxAnswerBytes ?? MAX_ANSWER_BYTES} bytes`));
        }
      });
      answer.on('error', reject);
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    request.end(options.body);
  });
}
