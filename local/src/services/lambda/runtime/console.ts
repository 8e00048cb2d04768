/**
 * Standard output and `console` of an execution environment. One call of `console` is one log event, with time, request
 * id and level in front; what is written to standard output directly is one event per line, as it stands.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
 */
import { format } from 'node:util';
import type { LogLevel } from './messages.ts';

const LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

const METHODS = { trace: 'TRACE', debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;

export interface OutputOptions {
  readonly logFormat: 'Text' | 'JSON';
  readonly applicationLogLevel: LogLevel;
  write(text: string): void;
  requestId(): string | undefined;
}

export type LogLine = (level: LogLevel, message: string) => void;

/** Takes over `console`, standard output and standard error of this thread; gives the function that writes one line. */
export function installOutput(options: OutputOptions): LogLine {
  const { write } = options;
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) write(line);
      const done = rest.find((each): each is () => void => typeof each === 'function');
      if (done) queueMicrotask(done);
      return true;
    };
  }
  const least = LEVELS.indexOf(options.applicationLogLevel);
  const line: LogLine = (level, message) => {
    const timestamp = new Date().toISOString();
    const requestId = options.requestId();
    if (options.logFormat === 'Text') {
      write(`${timestamp}\t${requestId ?? 'undefined'}\t${level}\t${message}\n`);
    } else if (LEVELS.indexOf(level) >= least) {
      write(`${JSON.stringify({ timestamp, level, requestId, message })}\n`);
    }
  };
  for (const [method, level] of Object.entries(METHODS)) {
    Object.assign(console, { [method]: (...args: unknown[]) => line(level, format(...args)) });
  }
  return line;
}
