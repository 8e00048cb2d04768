import { toLowerInt, toText } from '../convert.ts';
import type { SqlValue } from '../sql-value.ts';
import { argument, binary, ofTexts, type SqlFunction, type SqlFunctions, unary } from './sql-function.ts';

/** https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-func-lpad */
const MAX_PADDING = 1000;
const MAX_ASCII = 127;

export const stringFunctions: SqlFunctions = {
  length: ofTexts(1, (text) => text.length),
  numbytes: ofTexts(1, (text) => Buffer.byteLength(text, 'utf8')),
  lower: ofTexts(1, (text) => text.toLowerCase()),
  upper: ofTexts(1, (text) => text.toUpperCase()),
  trim: ofTexts(1, (text) => text.trim()),
  ltrim: ofTexts(1, (text) => text.trimStart()),
  rtrim: ofTexts(1, (text) => text.trimEnd()),
  lpad: pad((text, spaces) => spaces + text),
  rpad: pad((text, spaces) => text + spaces),
  startswith: ofTexts(2, (text, start = '') => text.startsWith(start)),
  endswith: ofTexts(2, (text, end = '') => text.endsWith(end)),
  // What a text that is not found gives, AWS does not say; -1 is what Java gives.
  indexof: ofTexts(2, (text, searched = '') => text.indexOf(searched)),
  replace: ofTexts(3, (text, searched = '', replacement = '') => replaceAll(text, searched, replacement)),
  substring: {
    arity: [2, 3],
    compile(args) {
      const value = argument(args, 0);
      const from = argument(args, 1);
      const to = argument(args, 2);
      const hasEnd = args.length === 3;
      return (scope) => {
        const text = toText(value(scope));
        if (text === undefined) return undefined;
        const start = toLowerInt(from(scope));
        const end = hasEnd ? toLowerInt(to(scope)) : text.length;
        if (start === undefined || end === undefined) return undefined;
        // JavaScript's slice counts negative indices from the end, its substring swaps them: AWS clamps.
        return text.slice(clamp(Number(start), text.length), clamp(Number(end), text.length));
      };
    },
  },
  chr: unary((value) => {
    const code = toLowerInt(value);
    return typeof code === 'number' && code >= 0 && code <= MAX_ASCII ? String.fromCharCode(code) : undefined;
  }),
};

function pad(join: (text: string, spaces: string) => string): SqlFunction {
  return binary((value, count): SqlValue => {
    const text = toText(value);
    const spaces = toLowerInt(count);
    if (text === undefined || spaces === undefined) return undefined;
    return join(text, ' '.repeat(clamp(Number(spaces), MAX_PADDING)));
  });
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

/** The longest text that a function may make: far above the 128 KB of a message, far below what exhausts the machine. */
const MAX_RESULT = 64 * 1024 * 1024;

function replaceAll(text: string, searched: string, replacement: string): string | undefined {
  if ((text.length + 1) * (replacement.length + 1) > MAX_RESULT) return undefined;
  return text.replaceAll(searched, () => replacement);
}
