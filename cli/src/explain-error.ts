import { ApiProblem, ApiUnreachable } from '@thingstead/client';
import { SignInError } from '@thingstead/client/people';
import { CommandError } from './command-error.ts';

const NO_CREDENTIALS = new Set(['CredentialsProviderError', 'CredentialsError', 'TokenProviderError']);
const NOT_ACCEPTED = new Set([
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'ExpiredTokenException',
  'UnauthorizedException',
  'AccessDeniedException',
  'NotAuthorizedException',
  'ForbiddenException',
]);
const CONFLICTS = new Set([
  'ResourceAlreadyExistsException',
  'ConflictException',
  'CertificateConflictException',
  'CertificateStateException',
  'DeleteConflictException',
  'VersionConflictException',
  'ConditionalCheckFailedException',
  'RegistrationCodeValidationException',
  'UsernameExistsException',
  'GroupExistsException',
]);
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNRESET',
  'ETIMEDOUT',
  'TimeoutError',
  'EHOSTUNREACH',
]);

/** Turns whatever was thrown into words and an exit code. */
export function explainError(error: unknown, local: boolean): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof ApiProblem) return explainProblem(error);
  if (error instanceof SignInError) return explainSignIn(error);
  if (error instanceof ApiUnreachable && !error.timedOut) return unreachable(error.message, error, local);
  const name = nameOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (NO_CREDENTIALS.has(name)) {
    return new CommandError('auth', 'There are no AWS credentials.', {
      causes: [message, 'for the local runtime of this checkout, put --local before the command'],
      next: 'aws configure',
      cause: error,
    });
  }
  if (NOT_ACCEPTED.has(name)) {
    return new CommandError('auth', 'AWS does not allow this.', {
      causes: [`${name}: ${message}`],
      next: local ? 'npm start' : 'aws sts get-caller-identity',
      cause: error,
    });
  }
  if (/region is missing/i.test(message)) {
    return new CommandError('usage', 'No AWS region is chosen.', {
      next: 'thingstead --region eu-central-1 ...',
      cause: error,
    });
  }
  if (name === 'UserNotFoundException') return new CommandError('notFound', message, { cause: error });
  if (name === 'InvalidPasswordException') return new CommandError('usage', message, { cause: error });
  if (name === 'ResourceNotFoundException') return notFound(message, error, local);
  if (CONFLICTS.has(name)) {
    return new CommandError('conflict', message, {
      causes: [name],
      cause: error,
    });
  }
  if (UNREACHABLE.has(name) || UNREACHABLE.has(codeOf(error))) return unreachable(message, error, local);
  return new CommandError('failed', message || name || 'It failed.', {
    ...(name === 'Error' ? {} : { causes: [name] }),
    cause: error,
  });
}

/** A refusal of the REST API, in its own words. */
function explainProblem(problem: ApiProblem): CommandError {
  const { status, detail, errors, correlationId } = problem;
  const exit = ({ 400: 'usage', 401: 'auth', 403: 'auth', 404: 'notFound', 409: 'conflict', 412: 'conflict' } as const)[
    status
  ];
  const causes = errors.map(({ field, message }) => `${field} ${message}`);
  // What went wrong there can be looked up by it.
  if (status >= 500 && correlationId !== undefined) causes.push(`correlation id ${correlationId}`);
  const said = `${detail.charAt(0).toUpperCase()}${detail.slice(1)}`;
  return new CommandError(exit ?? 'failed', said, { causes, cause: problem });
}

function explainSignIn(error: SignInError): CommandError {
  const isRefused = /^(NotAuthorized|UserNotConfirmed|PasswordResetRequired|UserNotFound|CodeMismatch)/.test(
    error.code,
  );
  return new CommandError(isRefused ? 'auth' : 'failed', `The sign-in failed: ${error.message}`, {
    causes: [error.code],
    cause: error,
  });
}

function notFound(message: string, cause: unknown, local: boolean): CommandError {
  const isTable = /requested resource|table/i.test(message);
  return new CommandError('notFound', isTable ? 'The platform is not deployed here.' : `It is not there: ${message}`, {
    ...(isTable
      ? { causes: [`a table is missing: ${message}`], next: local ? 'npm start' : 'npx cdk deploy --all' }
      : {}),
    cause,
  });
}

function unreachable(message: string, cause: unknown, local: boolean): CommandError {
  if (local) return notRunning(message, cause);
  return new CommandError('failed', 'AWS cannot be reached.', {
    causes: [message, 'the network, a proxy, or a wrong region'],
    cause,
  });
}

/** The local runtime is asked for and is not there. */
export function notRunning(detail: string, cause?: unknown): CommandError {
  return new CommandError('failed', 'The local runtime is not running.', {
    causes: [detail],
    next: 'npm start',
    cause,
  });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}
