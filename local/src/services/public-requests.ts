/** Operations that AWS takes without a signature, from apps and from web pages (`X-Amz-Target`, no `Authorization`). */
import { AwsError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { WireProtocol, WireRequest, WireResponse } from '../kernel/wire.ts';

/** Lets a web page of any origin read an answer, as Cognito's endpoints do: nothing here depends on cookies. */
export const ANY_ORIGIN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-amzn-requestid,x-amzn-errortype',
};

export interface PublicRequests {
  readonly kernel: Kernel;
  readonly service: string;
  readonly protocol: WireProtocol;
  readonly operations: ReadonlySet<string>;
}

/** The answer to an unsigned request for one of the operations; undefined for every other request. */
export function answerPublicRequest(
  { kernel, service, protocol, operations }: PublicRequests,
  request: WireRequest,
  requestId: string,
): Promise<WireResponse> | undefined {
  if (request.method !== 'POST' || request.path !== '/') return undefined;
  const target = request.headers['x-amz-target'];
  const operation = target?.slice(target.lastIndexOf('.') + 1);
  if (operation === undefined || !operations.has(operation)) return undefined;
  return (async () => {
    try {
      const decoded = protocol.decode(request);
      if (!decoded) throw new AwsError('UnknownOperationException', `There is no ${target}`);
      const caller = kernel.serviceCaller('anonymous', '*');
      const output = await kernel.call(service, operation, decoded.input, caller, { requestId });
      return withHeaders(protocol.encode(operation, output, requestId));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return withHeaders(protocol.encodeError(error, requestId));
    }
  })();
}

/** What a browser asks before it sends one of these from a web page; undefined for every other request. */
export function answerPreflight({ method, path, headers }: WireRequest): Promise<WireResponse> | undefined {
  if (method !== 'OPTIONS' || path !== '/' || headers.origin === undefined) return undefined;
  const allowed = headers['access-control-request-headers'] ?? '';
  return Promise.resolve({
    status: 200,
    headers: {
      ...ANY_ORIGIN,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': /^[\w,\s-]*$/.test(allowed) ? allowed : '',
      'access-control-max-age': '172800',
    },
    body: '',
  });
}

function withHeaders(response: WireResponse): WireResponse {
  return { ...response, headers: { ...response.headers, ...ANY_ORIGIN } };
}
