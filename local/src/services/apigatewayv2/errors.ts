import { AwsError } from '../../kernel/errors.ts';

export function badRequest(message: string): AwsError {
  return new AwsError('BadRequestException', message, 400);
}

/** @param what `API`, `Route` and so on */
export function notFound(what: string, id: string | undefined): AwsError {
  return new AwsError('NotFoundException', `Invalid ${what} identifier specified: ${id}`, 404);
}

export function conflict(message: string): AwsError {
  return new AwsError('ConflictException', message, 409);
}

/** Something that HTTP APIs have on AWS and not here. */
export function notEmulatedHere(what: string): AwsError {
  return new AwsError('NotEmulated', `The local runtime does not emulate ${what}.`, 501);
}
