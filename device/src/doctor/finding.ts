/** One line of the doctor's answer. */
export interface Finding {
  /** What was looked at. The names are stable, for programs. */
  readonly check: string;
  /** `warn`: it works, but somebody should look. `skip`: could not be looked at; the message says why. */
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
}

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message };
}

export function warn(check: string, message: string, advice: string): Finding {
  return { check, status: 'warn', message, advice };
}

export function fail(check: string, message: string, advice: string): Finding {
  return { check, status: 'fail', message, advice };
}

export function skip(check: string, message: string): Finding {
  return { check, status: 'skip', message };
}
