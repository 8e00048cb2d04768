/** AWS JSON 1.0 and 1.1: one POST, the operation in `X-Amz-Target` (https://smithy.io/2.0/aws/protocols/). */
import type { WireProtocol } from '../../kernel/wire.ts';
import { compileInputTypes, type InputTypes } from './input-types.ts';
import { parseJsonBody, toJson } from './json-values.ts';

export interface JsonProtocolOptions {
  readonly version: '1.0' | '1.1';
  /** What stands before the dot in `X-Amz-Target`: `DynamoDB_20120810`, `Kinesis_20131202`; DynamoDB has two. */
  readonly targetPrefix: string | readonly string[];
  /** Members whose type JSON does not tell: blobs, timestamps. */
  readonly inputTypes?: InputTypes;
  /**
   * For services that once spoke the query protocol (SQS, CloudWatch): the code that older clients know, by the code of
   * the JSON shape; it goes into `x-amzn-query-error`.
   */
  readonly queryErrorCodes?: Readonly<Record<string, string>>;
}

/** The protocol of a service that speaks AWS JSON. */
export function jsonProtocol(options: JsonProtocolOptions): WireProtocol {
  const prefixes = new Set([options.targetPrefix].flat());
  const convert = compileInputTypes(options.inputTypes);
  const contentType = `application/x-amz-json-${options.version}`;
  return {
    decode(request) {
      const target = request.headers['x-amz-target'];
      if (target === undefined) return undefined;
      const dot = target.lastIndexOf('.');
      if (!prefixes.has(target.slice(0, dot))) return undefined;
      const operation = target.slice(dot + 1);
      const input = parseJsonBody(request.body);
      convert(operation, input);
      return { operation, input };
    },
    encode(_operation, output, requestId) {
      return {
        status: 200,
        headers: { 'content-type': contentType, 'x-amzn-requestid': requestId },
        body: toJson(output),
      };
    },
    encodeError(error, requestId) {
      const queryCode = options.queryErrorCodes?.[error.code];
      return {
        status: error.status,
        headers: {
          'content-type': contentType,
          'x-amzn-requestid': requestId,
          'x-amzn-errortype': error.code,
          ...(queryCode ? { 'x-amzn-query-error': `${queryCode};${error.status < 500 ? 'Sender' : 'Receiver'}` } : {}),
        },
        body: toJson({ ...error.details, __type: error.code, message: error.message }),
      };
    },
  };
}
