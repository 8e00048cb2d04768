import type { WireProtocol } from '../kernel/wire.ts';
import { jsonProtocol, queryProtocol, restJsonProtocol } from './protocols/index.ts';
import { escapeXml } from './protocols/xml.ts';
import type { HttpRequest } from './signature/scope.ts';

const json = jsonProtocol({ version: '1.1', targetPrefix: [] });
const query = queryProtocol({ apiVersion: '', namespace: 'http://local/' });
const rest = restJsonProtocol([]);
const s3: WireProtocol = {
  ...rest,
  authenticationErrors: 's3',
  encodeError: (error, requestId) => ({
    status: error.status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body:
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escapeXml(error.code)}</Code>` +
      `<Message>${escapeXml(error.message)}</Message><RequestId>${requestId}</RequestId></Error>`,
  }),
};

/** The protocol in which the sender of a request to an unknown service will understand the refusal. */
export function protocolOfUnknown(request?: HttpRequest, signingName?: string): WireProtocol {
  if (signingName === 's3' || request?.query.has('AWSAccessKeyId')) return s3;
  if (request?.headers['x-amz-target'] !== undefined) return json;
  const form = request?.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return form || request?.query.has('Action') ? query : rest;
}

/** What a request asks for, as far as it can be told without knowing the service: `GetRestApis`, `GET /restapis`. */
export function unknownOperationName(request: HttpRequest): string {
  const target = request.headers['x-amz-target'];
  if (target !== undefined) return target.slice(target.lastIndexOf('.') + 1);
  const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  const action = form ? new URLSearchParams(request.body.toString('utf8')).get('Action') : request.query.get('Action');
  return action ?? `${request.method} ${request.path}`;
}
