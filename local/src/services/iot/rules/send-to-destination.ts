import { NotLoopback, type Post } from '../../../http/post.ts';
import { requestSignature, scopeOf, sha256, signingKey } from '../../../http/signature/sign.ts';
import type { Caller } from '../../../kernel/caller.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError, notEmulated } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { IOT_MESSAGE_BYTES, increments } from '../../../meter/increments.ts';
import type { HttpRequestInput } from './actions/http.ts';
import type { Destinations } from './destinations.ts';
import { HttpBatches } from './http-batches.ts';

/** A longer answer counts as a failure (https-rule-action.html). */
const MAX_ANSWER_BYTES = 16_384;
const SESSION_SECONDS = 3600;

/**
 * Posts what an HTTP action has to say. Not an operation of AWS: actions reach it through the dispatch, with their role
 * when they sign, and no route leads to it.
 */
export function sendToDestination(kernel: Kernel, destinations: Destinations, post: Post): AnyOperation {
  const send = async (input: HttpRequestInput, caller: Caller): Promise<object> => {
    const { url, timeoutMs, body } = input;
    const status = await post(url, {
      headers: headersOf(kernel, input, caller),
      body,
      timeoutMs,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw failure(400, error instanceof NotLoopback ? reason : `the endpoint did not answer: ${reason}`);
    });
    if (status < 200 || status > 299) throw failure(status, `the endpoint answered ${status}`);
    return {};
  };
  const batches = new HttpBatches<{ readonly input: HttpRequestInput; readonly caller: Caller }>(
    kernel,
    (text, { input, caller }) => {
      const body = Buffer.from(text);
      // "The batched HTTP action is metered as a single action", by the size of the batch.
      kernel.meter.add('iotAction', input.batch?.ruleName ?? '', increments(body.length, IOT_MESSAGE_BYTES));
      return send({ ...input, body }, caller);
    },
  );
  return operation<HttpRequestInput, unknown>({
    permissions(_input, { caller }) {
      if (caller.kind === 'user') throw notEmulated('iot', 'SendToDestination');
      return [];
    },
    run(input, { caller }) {
      const { url, confirmationUrl, batch, body } = input;
      if (!url.startsWith('https://')) throw failure(400, `${url} does not begin with https://`);
      if (!url.startsWith(confirmationUrl)) throw failure(400, `${confirmationUrl} is no prefix of ${url}`);
      if (!destinations.isEnabled(confirmationUrl)) {
        throw failure(400, `there is no enabled topic rule destination for ${confirmationUrl}`);
      }
      return batch ? batches.add(batch.key, jsonIn(body), batch, { input, caller }) : send(input, caller);
    },
  });
}

/** A batch is a JSON array. */
function jsonIn(body: Buffer): string {
  const text = body.toString('utf8');
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw failure(400, 'only JSON can go in a batch');
  }
}

/** Attempts that are answered with 429 or 5xx are tried again; the status tells. */
function failure(status: number, message: string): AwsError {
  return new AwsError('HttpActionFailure', message, status);
}

function headersOf(kernel: Kernel, input: HttpRequestInput, caller: Caller): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (const [name, value] of input.headers) headers[name.toLowerCase()] = value;
  return input.signing ? signed(kernel, input, headers, caller) : headers;
}

/** Signature Version 4 with the session of the action's role. Signatures go by real time. */
function signed(
  kernel: Kernel,
  { url, body, signing = { region: '', service: '' } }: HttpRequestInput,
  headers: Record<string, string>,
  caller: Caller,
): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = kernel.iam.issueCredentials(caller, SESSION_SECONDS);
  const { host, pathname, search, searchParams } = new URL(url);
  const date = `${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
  const payloadHash = sha256(body);
  const all = { ...headers, host, 'x-amz-date': date, 'x-amz-security-token': sessionToken };
  const signedHeaders = ['content-type', 'host', 'x-amz-date', 'x-amz-security-token'];
  const claim = {
    presigned: false,
    accessKeyId,
    day: date.slice(0, 8),
    region: signing.region,
    service: signing.service,
    signedHeaders,
    signature: '',
    date,
    expiresSeconds: undefined,
    sessionToken,
  };
  const request = {
    method: 'POST',
    path: pathname,
    rawQuery: search.slice(1),
    query: searchParams,
    headers: all,
    body,
  };
  const signature = requestSignature(signingKey(secretAccessKey, claim), request, claim, payloadHash);
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeOf(claim)}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return { ...all, authorization };
}
