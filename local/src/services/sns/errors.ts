import { AwsError } from '../../kernel/errors.ts';

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameter', `Invalid parameter: ${message}`);
}

export function notFound(what: string): AwsError {
  return new AwsError('NotFound', `${what} does not exist`, 404);
}
