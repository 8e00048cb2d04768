import type { Compilation, Compiled, Evaluate } from '../compilation.ts';
import { toText } from '../convert.ts';
import type { SqlValue } from '../sql-value.ts';
import type { Expression } from '../syntax-tree.ts';

/** The call that is being compiled, for messages. */
export interface Call {
  readonly name: string;
  readonly at: number;
  readonly context: Compilation;
}

export interface SqlFunction {
  /** Least and greatest number of arguments; any other gives Undefined. */
  readonly arity: readonly [least: number, most: number];
  readonly takesStar?: true;
  compile(args: readonly Compiled[], call: Call): Evaluate;
  /** For a function that has to see its arguments before they are compiled; takes the place of `compile`. */
  compileNodes?(args: readonly Expression[], call: Call): Evaluate;
}

export type SqlFunctions = Readonly<Record<string, SqlFunction>>;

const nothing: Evaluate = () => undefined;

/** The evaluation of an argument; Undefined when it was not given. */
export function argument(args: readonly Compiled[], at: number): Evaluate {
  return args[at]?.evaluate ?? nothing;
}

export function unary(compute: (value: SqlValue) => SqlValue): SqlFunction {
  return {
    arity: [1, 1],
    compile(args) {
      const value = argument(args, 0);
      return (scope) => compute(value(scope));
    },
  };
}

export function binary(compute: (first: SqlValue, second: SqlValue) => SqlValue): SqlFunction {
  return {
    arity: [2, 2],
    compile(args) {
      const first = argument(args, 0);
      const second = argument(args, 1);
      return (scope) => compute(first(scope), second(scope));
    },
  };
}

/** A function of texts: each argument is converted, and one that cannot be makes the result Undefined. */
export function ofTexts(count: number, compute: (...texts: string[]) => SqlValue): SqlFunction {
  return {
    arity: [count, count],
    compile(args) {
      const values = args.map(({ evaluate }) => evaluate);
      return (scope) => {
        const texts: string[] = [];
        for (const value of values) {
          const text = toText(value(scope));
          if (text === undefined) return undefined;
          texts.push(text);
        }
        return compute(...texts);
      };
    },
  };
}

/** An argument that has to be written as text, because it selects what the function does. Throws SqlParseException. */
export function literalText(
  args: readonly Compiled[],
  at: number,
  what: string,
  { name, at: place, context }: Call,
): string {
  const value = args[at]?.constant?.value;
  return typeof value === 'string' ? value : context.fail(place, `${what} of ${name} has to be a text in quotes`);
}

/** Prepares something once for a literal argument, and keeps the last ones for others. */
export function prepared<Result>(
  compiled: Compiled | undefined,
  prepare: (value: SqlValue) => Result,
): Evaluator<Result> {
  if (compiled?.constant) {
    const result = prepare(compiled.constant.value);
    return () => result;
  }
  const known = new Map<SqlValue, Result>();
  const evaluate = compiled?.evaluate ?? nothing;
  return (scope) => {
    const value = evaluate(scope);
    let result = known.get(value);
    if (result === undefined) {
      result = prepare(value);
      if (known.size >= MAX_PREPARED) known.clear();
      known.set(value, result);
    }
    return result;
  };
}

const MAX_PREPARED = 100;

type Evaluator<Result> = (scope: Parameters<Evaluate>[0]) => Result;
