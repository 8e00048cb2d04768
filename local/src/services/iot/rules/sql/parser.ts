import { parseNumber } from './convert.ts';
import { nestedSelect } from './parse-selection.ts';
import type { BinaryOperator, Expression } from './syntax-tree.ts';
import { TokenReader } from './token-reader.ts';

/** How deep expressions may be nested; AWS states no number, and nobody writes more. */
const MAX_DEPTH = 100;
/** How many operators one text may have, so that no statement exhausts the stack. */
const MAX_OPERATORS = 1000;

const COMPARISONS: readonly BinaryOperator[] = ['=', '<>', '<=', '>=', '<', '>'];
const SUMS: readonly BinaryOperator[] = ['+', '-'];
const PRODUCTS: readonly BinaryOperator[] = ['*', '/', '%'];

/** Words that cannot begin an expression by themselves. `value` and `set` can: they are frequent names. */
const RESERVED = new Set(
  'select from where as and or in case when then else end null true false not exists'.split(' '),
);

/** Reads expressions; the statement parser and the templates drive it. */
export class Parser extends TokenReader {
  #depth = 0;
  #operators = 0;

  /** OR binds weakest, then AND, NOT, comparisons and IN, sums, products, the sign. AWS documents no precedence: standard SQL. */
  expression(): Expression {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.fail(this.token.start, `expressions may be nested ${MAX_DEPTH} deep`);
    let left = this.#conjunction();
    while (this.isWord('or')) left = this.#binary('or', left, () => this.#conjunction());
    this.#depth -= 1;
    return left;
  }

  #conjunction(): Expression {
    let left = this.#negation();
    while (this.isWord('and')) left = this.#binary('and', left, () => this.#negation());
    return left;
  }

  #negation(): Expression {
    if (!this.isWord('not')) return this.#comparison();
    const { start } = this.advance();
    return { kind: 'not', operand: this.nested(() => this.#negation()), at: start };
  }

  #comparison(): Expression {
    let left = this.#sum();
    for (;;) {
      const operator = this.isWord('in') ? 'in' : COMPARISONS.find((each) => this.isSymbol(each));
      if (!operator) return left;
      left = this.#binary(operator, left, () => this.#sum());
    }
  }

  #sum(): Expression {
    let left = this.#product();
    for (;;) {
      const operator = SUMS.find((each) => this.isSymbol(each));
      if (!operator) return left;
      left = this.#binary(operator, left, () => this.#product());
    }
  }

  #product(): Expression {
    let left = this.#sign();
    for (;;) {
      const operator = PRODUCTS.find((each) => this.isSymbol(each));
      if (!operator) return left;
      left = this.#binary(operator, left, () => this.#sign());
    }
  }

  #sign(): Expression {
    if (!this.isSymbol('-')) return this.postfix();
    const { start } = this.advance();
    return { kind: 'minus', operand: this.nested(() => this.#sign()), at: start };
  }

  #binary(operator: BinaryOperator, left: Expression, readRight: () => Expression): Expression {
    const at = this.#operator();
    return { kind: 'binary', operator, left, right: readRight(), at };
  }

  #operator(): number {
    this.#operators += 1;
    if (this.#operators > MAX_OPERATORS) this.fail(this.token.start, `at most ${MAX_OPERATORS} operators`);
    return this.advance().start;
  }

  /** A primary expression and its members: `a.b.c`. */
  postfix(): Expression {
    let expression = this.#primary();
    while (this.isSymbol('.')) {
      this.#operator();
      const at = this.token.start;
      expression = { kind: 'member', of: expression, name: this.expectName('the name of a member'), at };
    }
    return expression;
  }

  #primary(): Expression {
    const { kind, text, start: at } = this.token;
    if (kind === 'string') {
      this.advance();
      return { kind: 'literal', value: text, at };
    }
    if (kind === 'number') {
      this.advance();
      return { kind: 'literal', value: parseNumber(text) ?? this.fail(at, `the number ${text} is too large`), at };
    }
    if (kind === 'variable') {
      this.advance();
      return { kind: 'variable', name: text, at };
    }
    if (kind === 'word') return this.#word(text.toLowerCase());
    if (this.isSymbol('(')) return this.#parenthesis();
    if (this.isSymbol('{')) return this.#object();
    if (this.isSymbol('[')) {
      this.advance();
      return { kind: 'array', items: this.#list(']', () => this.expression()), at };
    }
    return this.unexpected('an expression');
  }

  #word(word: string): Expression {
    const { text, start: at } = this.token;
    switch (word) {
      case 'null':
        this.advance();
        return { kind: 'literal', value: null, at };
      case 'true':
      case 'false':
        this.advance();
        return { kind: 'literal', value: word === 'true', at };
      case 'case':
        return this.#case();
      case 'exists':
        return this.#exists();
    }
    if (RESERVED.has(word)) this.unexpected('an expression');
    this.advance();
    if (!this.isSymbol('(')) return { kind: 'name', name: text, at };
    if (word === 'cast') return this.#cast(at);
    this.advance();
    return { kind: 'call', name: word, args: this.#list(')', () => this.starOr(() => this.expression())), at };
  }

  #cast(at: number): Expression {
    this.expectSymbol('(');
    const operand = this.expression();
    this.expectWord('as');
    const type = this.expectName('a type');
    this.expectSymbol(')');
    return { kind: 'cast', operand, type: type.toLowerCase(), at };
  }

  #case(): Expression {
    const { start: at } = this.advance();
    if (this.isWord('when')) this.unexpected('CASE value WHEN ...; AWS IoT SQL has no CASE WHEN condition: a value');
    const subject = this.expression();
    const branches = [];
    while (this.acceptWord('when')) {
      const when = this.expression();
      this.expectWord('then');
      branches.push({ when, result: this.expression() });
    }
    if (branches.length === 0) this.unexpected('WHEN');
    const otherwise = this.acceptWord('else') ? this.expression() : undefined;
    this.expectWord('end');
    return { kind: 'case', subject, branches, otherwise, at };
  }

  #exists(): Expression {
    const { start: at } = this.advance();
    this.expectSymbol('(');
    const select = nestedSelect(this);
    this.expectSymbol(')');
    return { kind: 'exists', select, at };
  }

  #parenthesis(): Expression {
    const { start: at } = this.advance();
    const inner: Expression = this.isWord('select')
      ? { kind: 'select', select: nestedSelect(this), at }
      : this.expression();
    this.expectSymbol(')');
    return inner;
  }

  #object(): Expression {
    const { start: at } = this.advance();
    const members = this.#list('}', () => {
      if (this.token.kind !== 'string') this.unexpected('a quoted key');
      const key = this.advance().text;
      this.expectSymbol(':');
      return { key, value: this.expression() };
    });
    return { kind: 'object', members, at };
  }

  #list<Item>(close: string, readItem: () => Item): readonly Item[] {
    const items: Item[] = [];
    if (this.acceptSymbol(close)) return items;
    do items.push(readItem());
    while (this.acceptSymbol(','));
    if (!this.acceptSymbol(close)) this.unexpected(`"," or "${close}"`);
    return items;
  }

  /** `*`, where it may stand for the payload or the element. */
  starOr(read: () => Expression): Expression {
    if (!this.isSymbol('*')) return read();
    return { kind: 'star', at: this.advance().start };
  }

  /** Reads something that nests, no deeper than the limit. */
  nested<Result>(read: () => Result): Result {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.fail(this.token.start, `expressions may be nested ${MAX_DEPTH} deep`);
    const result = read();
    this.#depth -= 1;
    return result;
  }
}
