/** An error as OAuth 2.0 tells it to apps: https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  /** `invalid_grant` */
  readonly code: string;
  readonly status: number;
  /** Shown as `error_description`, where AWS has one. */
  readonly description: string | undefined;

  constructor(code: string, description?: string, status = 400) {
    super(description ?? code);
    this.code = code;
    this.status = status;
    this.description = description;
  }
}

/** Something in the request is missing or given twice. */
export function invalidRequest(description: string): OAuthError {
  return new OAuthError('invalid_request', description);
}
