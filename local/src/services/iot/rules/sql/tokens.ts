/** The words of a statement. A token is read where it is asked for, so that FROM can read its filter differently. */

export type TokenKind = 'word' | 'string' | 'number' | 'variable' | 'symbol' | 'end' | 'unknown';

export interface Token {
  readonly kind: TokenKind;
  /** As written; what a string says without its quotes; a variable without its `@`. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const SPACE = /\s*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const VARIABLE = /@[A-Za-z0-9_]+/y;
const SYMBOL = /<>|<=|>=|[-+*/%=<>(){}[\],.:]/y;
const FILTER = /[^\s'"]\S*/y;

/** The token at or after `offset`. A character that begins none gives an `unknown` token: the parser says what it expected. */
export function tokenAt(source: string, offset: number): Token {
  const start = offset + match(SPACE, source, offset).length;
  if (start >= source.length) return { kind: 'end', text: '', start, end: start };
  const quote = source[start];
  if (quote === "'" || quote === '"') return stringAt(source, start, quote);
  const word = match(WORD, source, start);
  if (word) return token('word', word, start);
  const number = match(NUMBER, source, start);
  if (number) return token('number', number, start);
  const variable = match(VARIABLE, source, start);
  if (variable) return { ...token('variable', variable, start), text: variable.slice(1) };
  const symbol = match(SYMBOL, source, start);
  return symbol ? token('symbol', symbol, start) : token('unknown', source[start] ?? '', start);
}

/** An unquoted topic filter, which AWS's own examples write now and then; empty when there is none. */
export function bareFilterAt(source: string, offset: number): string {
  return match(FILTER, source, offset);
}

/** A doubled quote stands for itself; a backslash has no meaning of its own. */
function stringAt(source: string, start: number, quote: string): Token {
  let text = '';
  let from = start + 1;
  for (;;) {
    const at = source.indexOf(quote, from);
    if (at < 0) return { kind: 'unknown', text: quote, start, end: source.length };
    text += source.slice(from, at);
    if (source[at + 1] !== quote) return { kind: 'string', text, start, end: at + 1 };
    text += quote;
    from = at + 2;
  }
}

function token(kind: TokenKind, text: string, start: number): Token {
  return { kind, text, start, end: start + text.length };
}

function match(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? '';
}
