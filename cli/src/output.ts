import { styleText } from 'node:util';
import type { CommandError } from './command-error.ts';
import { type Column, formatTable } from './table.ts';

export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Characters per line of the terminal; undefined when stdout is no terminal. */
  readonly width: number | undefined;
  readonly colour: boolean;
}

/** Data goes to stdout, talk to stderr. With --json every row of data is one line of JSON. */
export interface Output {
  readonly json: boolean;
  table<Row extends object>(columns: readonly Column<Row>[], rows: readonly Row[], whenEmpty: string): void;
  /** One result: as JSON, or as the text. */
  result(data: object, text: string): void;
  say(text: string): void;
  /** What to run next: `thingstead ...` is written as it must be typed here. */
  next(command: string): void;
  problem(error: CommandError, stack: boolean): void;
}

/**
 * The output of the command; tests give their own streams. `invocation` is how the command is called for the same target:
 * `npx thingstead --local`.
 */
export function createOutput(
  json: boolean,
  { stdout, stderr, width, colour }: Streams,
  invocation = 'npx thingstead',
): Output {
  const typed = (command: string): string => command.replace(/^thingstead\b/, invocation);
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    colour ? styleText(format, text, { validateStream: false }) : text;
  return {
    json,
    table: (columns, rows, whenEmpty) => {
      if (json) {
        for (const row of rows) stdout(`${JSON.stringify(row)}\n`);
      } else if (rows.length === 0) {
        stderr(`${whenEmpty}\n`);
      } else {
        const [head = '', ...lines] = formatTable(columns, rows, width ?? Number.POSITIVE_INFINITY);
        stdout(`${[style('bold', head), ...lines].join('\n')}\n`);
      }
    },
    result: (data, text) => stdout(`${json ? JSON.stringify(data) : text}\n`),
    say: (text) => stderr(`${text}\n`),
    next: (command) => stderr(`next: ${typed(command)}\n`),
    problem: (error, stack) => {
      stderr(`${style('red', 'error:')} ${error.message}\n`);
      for (const cause of error.causes) stderr(`  cause: ${cause}\n`);
      if (error.next) stderr(`  next:  ${typed(error.next)}\n`);
      if (stack) stderr(`${error.stack}\n${error.cause instanceof Error ? `caused by ${error.cause.stack}\n` : ''}`);
    },
  };
}

/** The streams of this process. */
export function processStreams(): Streams {
  const { stdout, stderr } = process;
  return {
    stdout: (text) => void stdout.write(text),
    stderr: (text) => void stderr.write(text),
    width: stdout.isTTY ? stdout.columns : undefined,
    colour: stdout.isTTY === true && !process.env.NO_COLOR,
  };
}

/** Epoch milliseconds for people, in UTC to the second. */
export function formatTime(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

/** `1 device`, `2 devices` */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
