/**
 * Regular expressions. AWS uses Java's; they are JavaScript's here, with flags at the start of the pattern and Java's
 * replacement texts. What JavaScript cannot read is Undefined, as AWS says of an invalid expression.
 */
import { setFlagsFromString } from 'node:v8';
import type { Compiled } from '../compilation.ts';
import { toText } from '../convert.ts';
import type { SqlValue } from '../sql-value.ts';
import { argument, prepared, type SqlFunctions } from './sql-function.ts';

// A pattern such as (a+)+$ backtracks for ever on the wrong text. V8 then goes on without backtracking, unless the
// pattern has look-arounds or back-references.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

/** The size of the greatest message; no longer text is searched. */
const MAX_TEXT = 128 * 1024;
const LEADING_FLAGS = /^\(\?([ims]+)\)/;

export const regularExpressionFunctions: SqlFunctions = {
  regexp_matches: {
    arity: [2, 2],
    compile(args) {
      return withMatch(args, (text, pattern) => text.search(pattern) >= 0);
    },
  },
  regexp_substr: {
    arity: [2, 2],
    compile(args) {
      return withMatch(args, (text, pattern) => text.match(pattern)?.[0]);
    },
  },
  regexp_replace: {
    arity: [3, 3],
    compile(args) {
      const value = argument(args, 0);
      const pattern = prepared(args[1], (given) => toPattern(given, 'g'));
      const replacement = prepared(args[2], toReplacement);
      return (scope) => {
        const text = toText(value(scope));
        const searched = pattern(scope);
        const parts = replacement(scope);
        if (text === undefined || !searched || !parts || text.length > MAX_TEXT) return undefined;
        return replace(text, searched, parts);
      };
    },
  },
};

function withMatch(
  args: readonly Compiled[],
  compute: (text: string, pattern: RegExp) => SqlValue,
): Compiled['evaluate'] {
  const value = argument(args, 0);
  const pattern = prepared(args[1], (given) => toPattern(given, ''));
  return (scope) => {
    const text = toText(value(scope));
    const searched = pattern(scope);
    return text === undefined || !searched || text.length > MAX_TEXT ? undefined : compute(text, searched);
  };
}

/** Null for what is no regular expression. */
function toPattern(value: SqlValue, flags: string): RegExp | null {
  const text = toText(value);
  if (text === undefined) return null;
  const leading = LEADING_FLAGS.exec(text);
  // Only with the flag u does JavaScript know \p{...}; without it, it forgives escapes that mean nothing.
  const unicode = /\\[pP]\{/.test(text) ? 'u' : '';
  try {
    return new RegExp(text.slice(leading?.[0].length ?? 0), `${flags}${[...new Set(leading?.[1])].join('')}${unicode}`);
  } catch {
    return null;
  }
}

/** A piece of a replacement: text, or the number or name of a group. */
type Part = { readonly text: string } | { readonly group: string };

/** Java's replacement: `$1`, `${name}`, and a backslash before a character that stands for itself; null if it is none. */
function toReplacement(value: SqlValue): readonly Part[] | null {
  const text = toText(value);
  if (text === undefined) return null;
  const parts: Part[] = [];
  const pattern = /\$(\d+)|\$\{([A-Za-z][A-Za-z0-9]*)\}|\\([\s\S])|([^$\\]+)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) return null;
    const [, digits, name, escaped, plain] = match;
    const group = digits ?? name;
    parts.push(group === undefined ? { text: escaped ?? plain ?? '' } : { group });
  }
  return parts;
}

/** Undefined when the replacement asks for a group that the pattern does not have. */
function replace(text: string, pattern: RegExp, parts: readonly Part[]): string | undefined {
  let missing = false;
  const replaced = text.replace(pattern, (...found: unknown[]) => {
    // After the groups come the offset, the text and, when there are any, the named groups.
    const named = typeof found.at(-1) === 'object' ? (found.at(-1) as Record<string, string | undefined>) : undefined;
    const groups = found.slice(0, named ? -3 : -2) as (string | undefined)[];
    return parts
      .map((part) => {
        if ('text' in part) return part.text;
        const group = /^\d/.test(part.group) ? numbered(groups, part.group) : { value: named?.[part.group], rest: '' };
        if (!group || (named && !/^\d/.test(part.group) && !(part.group in named))) missing = true;
        return `${group?.value ?? ''}${group?.rest ?? ''}`;
      })
      .join('');
  });
  return missing ? undefined : replaced;
}

/** As Java reads `$12`: group 12 if there is one, otherwise group 1 and a 2. */
function numbered(
  groups: readonly (string | undefined)[],
  digits: string,
): { readonly value: string | undefined; readonly rest: string } | undefined {
  for (let length = digits.length; length > 0; length -= 1) {
    const index = Number(digits.slice(0, length));
    if (index < groups.length) return { value: groups[index], rest: digits.slice(length) };
  }
  return undefined;
}
