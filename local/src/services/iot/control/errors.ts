/** Errors of the IoT control plane, with the status that its API model gives each. */
import { AwsError } from '../../../kernel/errors.ts';

export function invalidRequest(message: string): AwsError {
  return new AwsError('InvalidRequestException', message, 400);
}

export function resourceNotFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, 404);
}

export function resourceAlreadyExists(message: string, resourceId: string, resourceArn: string): AwsError {
  return new AwsError('ResourceAlreadyExistsException', message, 409, { resourceId, resourceArn });
}

export function certificateState(message: string): AwsError {
  return new AwsError('CertificateStateException', message, 406);
}

export function certificateValidation(message: string): AwsError {
  return new AwsError('CertificateValidationException', message, 400);
}

export function deleteConflict(message: string): AwsError {
  return new AwsError('DeleteConflictException', message, 409);
}

export function versionConflict(message: string): AwsError {
  return new AwsError('VersionConflictException', message, 409);
}

export function limitExceeded(message: string): AwsError {
  return new AwsError('LimitExceededException', message, 410);
}

export function malformedPolicy(message: string): AwsError {
  return new AwsError('MalformedPolicyException', message, 400);
}

/** An option of an emulated operation that has no effect here, and so is refused. */
export function optionNotEmulated(option: string): AwsError {
  return new AwsError(
    'NotEmulated',
    `The local runtime does not emulate ${option}. docs/fidelity.md lists what it emulates.`,
    501,
  );
}

/** A member that AWS requires, as text. */
export function required(value: string | undefined, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalidRequest(`${name} is required`);
}

/** A member that must match a pattern of the API model. */
export function matching(value: string | undefined, name: string, pattern: RegExp): string {
  const given = required(value, name);
  if (pattern.test(given)) return given;
  throw invalidRequest(`${name} is ${JSON.stringify(given)}; it has to match ${pattern.source}`);
}
