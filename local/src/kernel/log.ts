export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The runtime's own log: one JSON line per event on standard error, or readable text on a terminal. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
