import type { Log, LogLevel } from './kernel/log.ts';

const COLOURS: Readonly<Record<LogLevel, string>> = { debug: '90', info: '36', warn: '33', error: '31' };

/** The runtime's log on standard error: JSON lines, or text for people when `readable`. */
export function createLog(readable: boolean, minimum: LogLevel = 'info'): Log {
  const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
  const write = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}) => {
    if (levels.indexOf(level) < levels.indexOf(minimum)) return;
    process.stderr.write(`${readable ? asText(level, message, fields) : asJson(level, message, fields)}\n`);
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}

function asJson(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  const plain = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainValue(value)]));
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...plain });
}

function asText(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): string {
  const rest = Object.entries(fields)
    .map(([key, value]) => ` ${key}=${value instanceof Error ? (value.stack ?? value.message) : compact(value)}`)
    .join('');
  const label = process.stderr.isTTY && !process.env.NO_COLOR ? `\u001b[${COLOURS[level]}m${level}\u001b[0m` : level;
  return `${label} ${message}${rest}`;
}

function compact(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}

function plainValue(value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;
}
