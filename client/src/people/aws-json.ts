/** Operations of AWS that take no signature, in AWS JSON. */
import { validate } from '@thingstead/contracts/validate';
import * as v from 'valibot';

export interface Service {
  /** `https://cognito-idp.eu-central-1.amazonaws.com`; the local runtime has one address for all services. */
  readonly endpoint: string;
  /** What stands before the dot in `X-Amz-Target`. */
  readonly prefix: string;
  /** Instead of the one of the platform. */
  readonly fetch?: typeof fetch | undefined;
}

const Failure = v.object({ __type: v.string(), message: v.optional(v.string(), '') });
const TIMEOUT_MS = 30_000;

/** A service has refused: `code` is its own name for it, `NotAuthorizedException`. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** One operation. @throws SignInError when the service refuses, or answers what it does not answer */
export async function callAws<S extends v.GenericSchema>(
  { endpoint, prefix, fetch: sendRequest = fetch }: Service,
  operation: string,
  input: object,
  answer: S,
): Promise<v.InferOutput<S>> {
  const response = await sendRequest(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${prefix}.${operation}` },
    body: JSON.stringify(input),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  const body: unknown = text === '' ? {} : parse(text);
  if (!response.ok) {
    const failure = validate(Failure, body);
    if (!failure.ok) throw new SignInError('UnexpectedAnswer', `${operation} answered ${response.status}`);
    const { __type, message } = failure.value;
    throw new SignInError(__type.slice(__type.indexOf('#') + 1), message);
  }
  const checked = validate(answer, body);
  if (!checked.ok) throw new SignInError('UnexpectedAnswer', `${operation} answered ${checked.reason}`);
  return checked.value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
