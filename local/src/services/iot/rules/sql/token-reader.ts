import { sqlParseError } from './sql-parse-error.ts';
import { type Token, tokenAt } from './tokens.ts';

/** What people know from other SQL dialects, and what to write instead. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['like', 'LIKE does not exist; use startswith, endswith, indexof or regexp_matches'],
  ['between', 'BETWEEN does not exist; use >= and <='],
  ['is', 'IS does not exist; use isNull or isUndefined'],
  ['group', 'GROUP BY does not exist'],
  ['order', 'ORDER BY does not exist'],
  ['limit', 'LIMIT does not exist'],
  ['join', 'JOIN does not exist'],
  ['!', 'write <> for "not equal"'],
  ['[', 'use get(array, index) for one item of an array'],
]);

/** Where the parser is in the text. */
export class TokenReader {
  readonly source: string;
  token: Token;

  constructor(source: string, offset = 0) {
    this.source = source;
    this.token = tokenAt(source, offset);
  }

  /** Throws SqlParseException for the current token. */
  unexpected(expected: string, at: Token = this.token): never {
    const found = at.kind === 'end' ? 'the end' : JSON.stringify(this.source.slice(at.start, at.end));
    const unclosed = at.kind === 'unknown' && (at.text === "'" || at.text === '"');
    const hint = unclosed ? 'the string is not closed' : HINTS.get(at.text.toLowerCase());
    const message = `expected ${expected} but found ${found}${hint === undefined ? '' : ` (${hint})`}`;
    throw sqlParseError(this.source, at.start, message);
  }

  fail(at: number, message: string): never {
    throw sqlParseError(this.source, at, message);
  }

  advance(): Token {
    const current = this.token;
    this.token = tokenAt(this.source, current.end);
    return current;
  }

  /** The token after the current one. */
  peek(after: Token = this.token): Token {
    return tokenAt(this.source, after.end);
  }

  isWord(word: string, token: Token = this.token): boolean {
    return token.kind === 'word' && token.text.toLowerCase() === word;
  }

  isSymbol(symbol: string): boolean {
    return this.token.kind === 'symbol' && this.token.text === symbol;
  }

  acceptWord(word: string): boolean {
    const found = this.isWord(word);
    if (found) this.advance();
    return found;
  }

  acceptSymbol(symbol: string): boolean {
    const found = this.isSymbol(symbol);
    if (found) this.advance();
    return found;
  }

  expectWord(word: string): void {
    if (!this.acceptWord(word)) this.unexpected(word.toUpperCase());
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) this.unexpected(`"${symbol}"`);
  }

  expectName(what: string): string {
    if (this.token.kind !== 'word') this.unexpected(what);
    return this.advance().text;
  }
}
