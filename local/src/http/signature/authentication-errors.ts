import { AwsError } from '../../kernel/errors.ts';

export type ErrorFamily = 'json' | 'query' | 's3';

/** The same failure has another code in each generation of AWS's protocols; the JSON one is the key. */
const CODES: Readonly<
  Record<Exclude<ErrorFamily, 'json'>, Readonly<Record<string, readonly [code: string, message?: string]>>>
> = {
  query: {
    MissingAuthenticationTokenException: ['MissingAuthenticationToken'],
    UnrecognizedClientException: ['InvalidClientTokenId'],
    InvalidSignatureException: ['SignatureDoesNotMatch'],
    ExpiredTokenException: ['ExpiredToken'],
    AccessDeniedException: ['AccessDenied'],
  },
  s3: {
    MissingAuthenticationTokenException: ['AccessDenied', 'Access Denied'],
    UnrecognizedClientException: [
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
    ],
    InvalidSignatureException: ['SignatureDoesNotMatch'],
    ExpiredTokenException: ['ExpiredToken', 'The provided token has expired.'],
    IncompleteSignature: ['AuthorizationHeaderMalformed'],
    AccessDeniedException: ['AccessDenied'],
  },
};

/** An error of authentication or authorization with the code that clients of this protocol know. */
export function inFamily(error: AwsError, family: ErrorFamily): AwsError {
  if (family === 'json') return error;
  const [code, message] = CODES[family][error.code] ?? [];
  return code === undefined ? error : new AwsError(code, message ?? error.message, error.status, error.details);
}
