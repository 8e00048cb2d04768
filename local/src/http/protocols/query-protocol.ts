/** The AWS query protocol: a form with `Action`, XML back (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html). */
import type { WireProtocol, WireRequest } from '../../kernel/wire.ts';
import { compileInputTypes, type InputTypes } from './input-types.ts';
import { type Flattened, parseForm } from './query-input.ts';
import { outputToXml } from './query-output.ts';
import { escapeXml } from './xml.ts';

export interface QueryProtocolOptions {
  /** `2010-05-08`; a request for another version is another protocol's. */
  readonly apiVersion: string;
  /** The XML namespace of the answers: `https://iam.amazonaws.com/doc/2010-05-08/`. */
  readonly namespace: string;
  /**
   * Lists and maps that are written without a wrapper, by member name or `Operation.Member`: the name of the repeated
   * element, with the names of key and value for a map. Needed by SQS; used for requests and for answers.
   */
  readonly flattened?: Readonly<Record<string, Flattened>>;
  /** Members of answers that are maps, not structures: written as `<entry><key/><value/></entry>`. */
  readonly maps?: readonly string[];
  /** Members that are not text: numbers, booleans, blobs, timestamps, lists that may be empty. */
  readonly inputTypes?: InputTypes;
  /** Codes of this protocol that differ from the code the operation throws: `QueueDoesNotExist` and so on. */
  readonly errorCodes?: Readonly<Record<string, string>>;
}

/** The protocol of a service that speaks AWS query. Values arrive as text, except those named in `inputTypes`. */
export function queryProtocol(options: QueryProtocolOptions): WireProtocol {
  const convert = compileInputTypes(options.inputTypes);
  const maps = new Set(options.maps ?? []);
  const flattened = options.flattened ?? {};
  return {
    authenticationErrors: 'query',
    decode(request) {
      const form = formOf(request);
      const operation = form?.get('Action');
      if (!form || !operation) return undefined;
      const version = form.get('Version');
      if (version !== null && version !== options.apiVersion) return undefined;
      const input = parseForm(form, operation, flattened);
      convert(operation, input);
      return { operation, input };
    },
    encode(operation, output, requestId) {
      const result = outputToXml(operation, output, { flattened, maps });
      return {
        status: 200,
        headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
        body:
          `<${operation}Response xmlns="${options.namespace}"><${operation}Result>${result}</${operation}Result>` +
          `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`,
      };
    },
    encodeError(error, requestId) {
      const code = options.errorCodes?.[error.code] ?? error.code;
      const details = outputToXml('', error.details, { flattened, maps });
      return {
        status: error.status,
        headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
        body:
          `<ErrorResponse xmlns="${options.namespace}"><Error><Type>${error.status < 500 ? 'Sender' : 'Receiver'}</Type>` +
          `<Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message>${details}</Error>` +
          `<RequestId>${requestId}</RequestId></ErrorResponse>`,
      };
    },
  };
}

function formOf(request: WireRequest): URLSearchParams | undefined {
  if (request.method === 'GET') return request.query;
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) return undefined;
  return new URLSearchParams(request.body.toString('utf8'));
}
