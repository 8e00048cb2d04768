/** Whether a token does not take the PIN, by the error of its library. Tokens count such logins and lock themselves: none is made again before the next start. */
export function isPinRefused(message: string): boolean {
  return /PIN_(INCORRECT|INVALID|LEN_RANGE|LOCKED|EXPIRED|NOT_INITIALIZED)/.test(message);
}
