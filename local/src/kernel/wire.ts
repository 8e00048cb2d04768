/** What the front door hands to a service's protocol. Header names are lower case. */
export interface WireRequest {
  readonly method: string;
  /** Percent-encoded as received, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Translates between HTTP and operations: AWS JSON 1.0/1.1, query, REST-JSON, REST-XML.
 * `decode` answers undefined for a request of another protocol, and throws an AwsError for one it cannot read.
 */
export interface WireProtocol {
  /** The family of codes in which a failed authentication is told (`InvalidSignatureException` and so on); `json` if unset. */
  readonly authenticationErrors?: 'json' | 'query' | 's3';
  decode(request: WireRequest): { readonly operation: string; readonly input: unknown } | undefined;
  encode(operation: string, output: unknown, requestId: string): WireResponse;
  encodeError(error: WireError, requestId: string): WireResponse;
}
