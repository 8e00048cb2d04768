import type { ErrorDocument } from './messages.ts';

/** An error of the function as Lambda reports it to the caller. */
export function toErrorDocument(error: unknown, errorType?: string): ErrorDocument {
  if (error instanceof Error) {
    return {
      errorType: errorType ?? error.name,
      errorMessage: error.message,
      trace: (error.stack ?? '').split('\n'),
    };
  }
  return { errorType: errorType ?? typeof error, errorMessage: String(error), trace: [] };
}

/** The same for the log, where Lambda also shows the members of the error. */
export function toLoggedError(error: unknown, errorType?: string): string {
  const { errorMessage, trace, ...document } = toErrorDocument(error, errorType);
  const members = error instanceof Error ? { ...error } : {};
  try {
    return JSON.stringify({ ...document, errorMessage, ...members, stack: trace });
  } catch {
    // A member that JSON cannot hold: a cycle, a bigint.
    return JSON.stringify({ ...document, errorMessage, stack: trace });
  }
}
