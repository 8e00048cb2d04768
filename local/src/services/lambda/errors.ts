import { AwsError } from '../../kernel/errors.ts';

export function invalidValue(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message, 400, { Type: 'User' });
}

export function functionNotFound(arn: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404, { Type: 'User' });
}

export function resourceNotFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, 404, { Type: 'User' });
}

export function conflict(message: string): AwsError {
  return new AwsError('ResourceConflictException', message, 409, { Type: 'User' });
}

/** @param reason the API's name of the limit: `ReservedFunctionConcurrentInvocationLimitExceeded` */
export function throttled(reason: string): AwsError {
  return new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, { Type: 'User', Reason: reason });
}

export function notEmulatedMember(operation: string, member: string, instead: string): AwsError {
  return new AwsError(
    'NotEmulated',
    `The local runtime does not emulate ${member} of lambda:${operation}: ${instead}.`,
    501,
  );
}
