import { randomBytes } from 'node:crypto';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Route, Stage, StoredApi } from '../types.ts';

/** A request as a client sent it. */
export interface ClientRequest {
  readonly method: string;
  /** As received, with the query. */
  readonly target: string;
  /** Percent-decoded, without the query; as received when it cannot be decoded. */
  readonly path: string;
  /** As received, without the question mark. */
  readonly rawQuery: string;
  readonly query: URLSearchParams;
  /** By lower-case name, each value as it was sent. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  readonly sourceIp: string;
  /** `HTTP/1.1` */
  readonly protocol: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** Who asks, as events and access logs tell it: the member of `requestContext.authorizer`. */
export type Principal =
  | {
      readonly kind: 'jwt';
      readonly claims: Readonly<Record<string, string>>;
      /** Null when the route asks for none. */
      readonly scopes: readonly string[] | null;
    }
  | { readonly kind: 'lambda'; readonly principalId: string | undefined; readonly context: Record<string, unknown> }
  | { readonly kind: 'iam'; readonly identity: Readonly<Record<string, unknown>> };

/** One request on its way through the gateway, and what became known of it. */
export interface Exchange {
  readonly kernel: Kernel;
  readonly api: StoredApi;
  readonly request: ClientRequest;
  /** As `apigw-requestid` tells it. */
  readonly requestId: string;
  /** Virtual time, epoch milliseconds. */
  readonly startedAt: number;
  stage: Stage | undefined;
  route: Route | undefined;
  pathParameters: Readonly<Record<string, string>>;
  principal: Principal | undefined;
  /** Why the integration gave no answer; undefined when it gave one. */
  integrationError: string | undefined;
  authorizerError: string | undefined;
  /** Milliseconds; undefined when the integration was not asked. */
  integrationLatencyMs: number | undefined;
  /** Refused before it cost anything: by an authorizer or a limit on the rate. */
  isFree: boolean;
}

export function newExchange(kernel: Kernel, api: StoredApi, request: ClientRequest): Exchange {
  return {
    kernel,
    api,
    request,
    requestId: newRequestId(),
    startedAt: kernel.clock.now(),
    stage: undefined,
    route: undefined,
    pathParameters: {},
    principal: undefined,
    integrationError: undefined,
    authorizerError: undefined,
    integrationLatencyMs: undefined,
    isFree: false,
  };
}

/** Sixteen characters, the last one `=`, as AWS's look. */
function newRequestId(): string {
  return randomBytes(11).toString('base64').replaceAll('/', 'A').replaceAll('+', 'A');
}

/** The gateway's own answer, with the body that AWS gives to it: `{"message":"Not Found"}`. */
export function ownAnswer(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify({ message })),
  };
}

export const internalServerError = (): Answer => ownAnswer(500, 'Internal Server Error');
export const forbidden = (headers?: Readonly<Record<string, string>>): Answer => ownAnswer(403, 'Forbidden', headers);
export const unauthorized = (headers?: Readonly<Record<string, string>>): Answer =>
  ownAnswer(401, 'Unauthorized', headers);

/** All values of a header, joined by commas; undefined when it was not sent. */
export function headerOf({ headers }: ClientRequest, name: string): string | undefined {
  return headers.get(name.toLowerCase())?.join(',');
}
