/** Structured log: one event per line on stdout. The event names are a contract, listed in device/README.md. */
import { styleText } from 'node:util';
import type { Clock } from './clock.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, unknown>>;

/** Where the agent's parts report what happens. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly thing: string;
  readonly clock: Clock;
  /** Text for people instead of JSON for programs. */
  readonly readable: boolean;
  readonly write: (line: string) => void;
}

const COLOURS = { debug: 'dim', info: 'green', warn: 'yellow', error: 'red' } as const;

/** Makes a log that writes events of `level` and above, as JSON lines or as readable text. */
export function createLog({ level: lowest, thing, clock, readable, write }: LogOptions): Log {
  const record = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(lowest)) return;
    const time = new Date(clock.now()).toISOString();
    write(readable ? toText(time, level, event, fields) : JSON.stringify({ time, level, event, thing, ...fields }));
  };
  return {
    debug: (event, fields) => record('debug', event, fields),
    info: (event, fields) => record('info', event, fields),
    warn: (event, fields) => record('warn', event, fields),
    error: (event, fields) => record('error', event, fields),
  };
}

function toText(time: string, level: LogLevel, event: string, { message, ...fields }: LogFields): string {
  const details = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const text = [message, ...details].filter(Boolean).join('  ');
  return `${time.slice(11, 23)} ${styleText(COLOURS[level], event.padEnd(34))} ${text}`;
}
