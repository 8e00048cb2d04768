import { AwsError } from '../../kernel/errors.ts';

/** https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html: all with status 400. */
export function notAuthorized(message: string): AwsError {
  return new AwsError('NotAuthorizedException', message);
}

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}

export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message);
}

export function userNotFound(): AwsError {
  return new AwsError('UserNotFoundException', 'User does not exist.');
}

/** The same for a wrong password and, where a client hides who exists, for an unknown user. */
export function wrongPassword(): AwsError {
  return notAuthorized('Incorrect username or password.');
}

export function codeMismatch(): AwsError {
  return new AwsError('CodeMismatchException', 'Invalid verification code provided, please try again.');
}

export function expiredCode(): AwsError {
  return new AwsError('ExpiredCodeException', 'Invalid code provided, please request a code again.');
}

/** A member that AWS requires. Throws InvalidParameterException that names it. */
export function required<T>(value: T | undefined | null | '', name: string): T {
  if (value === undefined || value === null || value === '') {
    throw invalidParameter(`Missing required parameter ${name}`);
  }
  return value;
}
