import { ROUTES } from '@thingstead/contracts/routes';
import type { Route } from '@thingstead/contracts/routes/route';
import type { CallOptions, Client } from './api-types.ts';
import { type BuiltRequest, buildRequest, type Parts } from './build-request.ts';
import { ApiProblem, ApiUnreachable } from './errors.ts';
import { pause } from './pause.ts';
import { type ReceivedAnswer, readAnswer } from './read-answer.ts';

export interface ClientOptions {
  /** Where the API is: the output `ApiUrl`, or `apiUrl` of the local runtime's endpoints. */
  readonly baseUrl: string;
  /**
   * The access token. After an answer 401 it is asked once more, with the token that was not taken; another token is tried,
   * the same is not. To refresh tokens, and to ask nobody twice at a time, is the caller's.
   */
  readonly token: (rejected?: string) => Promise<string>;
  /** For each attempt, in milliseconds; 30 s, as long as the gateway itself waits, unless it is given. */
  readonly timeoutMs?: number;
  /** What may be sent again is sent so often at most. 4 unless it is given. */
  readonly attempts?: number;
  /** Instead of the one of the platform. */
  readonly fetch?: typeof fetch;
  /** Waits between attempts, in milliseconds. Instead of a timer. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

const TIMEOUT_MS = 30_000;
const ATTEMPTS = 4;
/** The wait before the second attempt is below this, before the third below twice of it, and so on. */
const BASE_WAIT_MS = 500;
/** Whoever is told to wait for longer is told so, and not kept waiting. */
const MAX_WAIT_MS = 20_000;
/** Too many requests; the gateway has no room. */
const TRY_AGAIN = new Set([429, 503]);

/**
 * A client of the REST API: a method for each route of the contracts, named by its operation id. It runs in browsers and in Node.
 * What is answered is checked against the contract. Methods reject with ApiProblem (refused), ApiUnreachable (no answer) or
 * UnexpectedAnswer (no answer of this API), and with the reason of the caller's signal. GET, and what carries an
 * `idempotency-key`, is sent again after 429 and 503: after the time that the answer names, if it
 * is short, and a random time that grows.
 */
export function createClient(options: ClientOptions): Client {
  const routes: readonly Route[] = Object.values(ROUTES).flatMap((group) => Object.values<Route>(group));
  const methods = routes.map((route) => [
    route.operationId,
    (parts: Parts = {}, each: CallOptions = {}) => call(route, parts, each, options),
  ]);
  // The types of the methods come from the same routes.
  return Object.fromEntries(methods) as Client;
}

async function call(route: Route, parts: Parts, each: CallOptions, options: ClientOptions): Promise<unknown> {
  const { attempts = ATTEMPTS, wait = pause, token: tokens } = options;
  const request = buildRequest(options.baseUrl, route, parts);
  const maySendAgain = route.method === 'GET' || request.headers['idempotency-key'] !== undefined;
  let token = await tokens();
  let hasNewToken = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return readAnswer(route, await send(route, request, token, each, options));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (error.status === 401 && !hasNewToken) {
        const next = await tokens(token);
        if (next === token) throw error;
        token = next;
        hasNewToken = true;
        continue;
      }
      const { status, retryAfterSeconds = 0 } = error;
      const isWorthIt = TRY_AGAIN.has(status) && retryAfterSeconds * 1000 <= MAX_WAIT_MS;
      if (!isWorthIt || !maySendAgain || attempt >= attempts) throw error;
      await wait(waitBefore(attempt, retryAfterSeconds), each.signal);
    }
  }
}

/** One attempt. @throws ApiUnreachable, or the reason of the caller's signal */
async function send(
  { operationId }: Route,
  { url, ...request }: BuiltRequest,
  token: string,
  { signal, timeoutMs }: CallOptions,
  options: ClientOptions,
): Promise<ReceivedAnswer> {
  const { fetch: sendRequest = fetch } = options;
  const timeout = AbortSignal.timeout(timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS);
  try {
    const response = await sendRequest(url, {
      ...request,
      headers: { ...request.headers, accept: 'application/json', authorization: `Bearer ${token}` },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const { status, statusText, headers } = response;
    return { status, statusText, headers, text: await response.text() };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ApiUnreachable(operationId, { timedOut: timeout.aborted, cause });
  }
}

/** With full jitter, so that many who were refused together do not come back together. */
function waitBefore(attempt: number, retryAfterSeconds: number): number {
  return retryAfterSeconds * 1000 + Math.random() * BASE_WAIT_MS * 2 ** (attempt - 1);
}
