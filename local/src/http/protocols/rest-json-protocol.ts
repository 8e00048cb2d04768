/** REST-JSON: method and path name the operation (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html). */
import type { WireProtocol, WireRequest, WireResponse } from '../../kernel/wire.ts';
import { compileInputTypes, type InputTypes } from './input-types.ts';
import { asBuffer, parseJsonBody, toJson } from './json-values.ts';
import { createRouter, type Route } from './rest-routes.ts';

export { type Route, route } from './rest-routes.ts';

export interface RestJsonOptions {
  /** Members whose type the wire does not tell: numbers and booleans in the query, blobs, timestamps, lists. */
  readonly inputTypes?: InputTypes;
}

/** The protocol of a service that speaks REST-JSON. */
export function restJsonProtocol(routes: readonly Route[], options: RestJsonOptions = {}): WireProtocol {
  const router = createRouter(routes);
  const byOperation = new Map(routes.map((each) => [each.operation, each]));
  const convert = compileInputTypes(options.inputTypes);
  return {
    decode(request) {
      const found = router(request.method, request.path, request.query);
      if (!found) return undefined;
      const input = { ...bodyMembers(request, found.route), ...outsideBody(request, found.route), ...found.labels };
      convert(found.route.operation, input);
      return { operation: found.route.operation, input };
    },
    encode(operation, output, requestId) {
      return encodeOutput(byOperation.get(operation), (output ?? {}) as Record<string, unknown>, requestId);
    },
    encodeError(error, requestId) {
      return {
        status: error.status,
        headers: {
          'content-type': 'application/json',
          'x-amzn-requestid': requestId,
          'x-amzn-errortype': error.code,
        },
        body: toJson({ ...error.details, message: error.message }),
      };
    },
  };
}

function bodyMembers(request: WireRequest, { payload, document }: Route): Record<string, unknown> {
  if (payload !== undefined) return request.body.length > 0 ? { [payload]: request.body } : {};
  const members = parseJsonBody(request.body);
  return document === undefined ? members : { [document]: members };
}

function outsideBody(request: WireRequest, route: Route): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [member, name] of Object.entries(route.query)) {
    const values = request.query.getAll(name);
    if (values.length > 0) members[member] = values.length === 1 ? values[0] : values;
  }
  for (const [member, name] of Object.entries(route.headers)) {
    const value = request.headers[name.toLowerCase()];
    if (value !== undefined) members[member] = value;
  }
  return members;
}

function encodeOutput(route: Route | undefined, output: Record<string, unknown>, requestId: string): WireResponse {
  const response = route?.response ?? {};
  const rest = { ...output };
  const headers: Record<string, string> = { 'x-amzn-requestid': requestId };
  for (const [member, name] of Object.entries(response.headers ?? {})) {
    const value = rest[member];
    if (value !== undefined && value !== null) headers[name.toLowerCase()] = String(value);
    delete rest[member];
  }
  let status = response.status ?? 200;
  if (response.statusMember !== undefined) {
    const given = rest[response.statusMember];
    if (typeof given === 'number') status = given;
    delete rest[response.statusMember];
  }
  if (response.payload === undefined) {
    headers['content-type'] = 'application/json';
    return { status, headers, body: status === 204 ? '' : toJson(rest) };
  }
  const payload = rest[response.payload];
  if (payload instanceof Uint8Array) return { status, headers, body: asBuffer(payload) };
  if (typeof payload === 'string') return { status, headers, body: payload };
  headers['content-type'] = 'application/json';
  return { status, headers, body: payload === undefined ? '' : toJson(payload) };
}
