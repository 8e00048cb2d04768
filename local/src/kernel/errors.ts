/**
 * An error as an AWS service answers it: the code and message that the SDK shows, and the HTTP status. `details` are
 * further members of the error shape, for instance the `Item` of a ConditionalCheckFailedException.
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status = 400, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.details = details;
  }
}

/** The answer to an operation that the runtime does not emulate; it names the operation. */
export function notEmulated(service: string, operation: string): AwsError {
  return new AwsError(
    'NotEmulated',
    `The local runtime does not emulate ${service}:${operation}. docs/fidelity.md lists what it emulates.`,
    501,
  );
}

/** The error of an operation that needs a value which was not given or has the wrong form. */
export function invalid(message: string, code = 'ValidationException'): AwsError {
  return new AwsError(code, message, 400);
}
