import { toLowerInt, toText } from '../convert.ts';
import { TimePatternError } from '../time/pattern-letters.ts';
import { compileTimeFormat } from '../time/time-format.ts';
import { compileTimeParser } from '../time/time-parser.ts';
import { isZone } from '../time/zone.ts';
import { argument, type Call, prepared, type SqlFunctions } from './sql-function.ts';

export const timeFunctions: SqlFunctions = {
  parse_time: {
    arity: [2, 3],
    compile(args, call) {
      const format = prepared(args[0], (pattern) =>
        read(args[0]?.constant !== undefined, call, () => {
          const text = toText(pattern);
          return text === undefined ? null : compileTimeFormat(text);
        }),
      );
      const time = argument(args, 1);
      const zone = prepared(args[2] ?? UTC, (given) => {
        const text = toText(given);
        return text !== undefined && isZone(text) ? text : null;
      });
      return (scope) => {
        const write = format(scope);
        const millis = toLowerInt(time(scope));
        const zoneName = zone(scope);
        if (!write || zoneName === null || typeof millis !== 'number') return undefined;
        return Math.abs(millis) > MAX_TIME ? undefined : write(millis, zoneName);
      };
    },
  },
  time_to_epoch: {
    arity: [2, 2],
    compile(args, call) {
      const value = argument(args, 0);
      const parser = prepared(args[1], (pattern) =>
        read(args[1]?.constant !== undefined, call, () => {
          const text = toText(pattern);
          return text === undefined ? null : compileTimeParser(text);
        }),
      );
      return (scope) => {
        const parse = parser(scope);
        const text = toText(value(scope));
        return parse && text !== undefined ? parse(text) : undefined;
      };
    },
  },
};

/** The greatest time that a Date can hold, epoch milliseconds. */
const MAX_TIME = 8.64e15;
const UTC = { evaluate: () => 'UTC', constant: { value: 'UTC' } };

/** A pattern that cannot be read is refused when it is a literal, and otherwise makes the result Undefined. */
function read<Result>(isLiteral: boolean, { name, at, context }: Call, compile: () => Result): Result | null {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof TimePatternError)) throw error;
    return isLiteral ? context.fail(at, `${name}: ${error.message}`) : null;
  }
}
