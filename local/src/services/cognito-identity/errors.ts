import { AwsError } from '../../kernel/errors.ts';

export function notAuthorized(message: string): AwsError {
  return new AwsError('NotAuthorizedException', message);
}

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}

export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message);
}

/** What is told to an app when a role is missing or does not trust the pool. */
export function invalidConfiguration(): AwsError {
  return new AwsError(
    'InvalidIdentityPoolConfigurationException',
    'Invalid identity pool configuration. Check assigned IAM roles for this pool.',
  );
}

/** A member that AWS requires. Throws InvalidParameterException that names it. */
export function required<T>(value: T | undefined | null | '', name: string): T {
  if (value === undefined || value === null || value === '') throw invalidParameter(`${name} is required`);
  return value;
}
