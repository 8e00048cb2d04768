import type { Parser } from './parser.ts';
import type { Expression, NestedSelect, Selection } from './syntax-tree.ts';

/** `VALUE expr`, or items with aliases. */
export function selection(parser: Parser): Selection {
  if (parser.isWord('value') && isValueKeyword(parser)) {
    const value = parser.advance();
    const expression = parser.starOr(() => parser.expression());
    // `VALUE -x` ends here; `value - x AS y` is a difference.
    if (!parser.isSymbol(',') && !parser.isWord('as')) return { kind: 'value', expression };
    parser.token = value;
  }
  const items = [];
  do {
    const expression = parser.starOr(() => parser.expression());
    items.push({ expression, alias: parser.acceptWord('as') ? alias(parser) : undefined });
  } while (parser.acceptSymbol(','));
  return { kind: 'items', items };
}

/** What follows SELECT, in parentheses or EXISTS. */
export function nestedSelect(parser: Parser): NestedSelect {
  return parser.nested(() => {
    parser.expectWord('select');
    const select = selection(parser);
    parser.expectWord('from');
    if (parser.token.kind !== 'word' && parser.token.kind !== 'variable')
      parser.unexpected('the path of an array or object');
    const from = parser.postfix();
    if (!isPath(from)) parser.fail(from.at, 'a nested SELECT reads FROM a path, a.b or @variable.b');
    const name = parser.acceptWord('as') ? parser.expectName('an alias') : undefined;
    return { select, from, alias: name, where: parser.acceptWord('where') ? parser.expression() : undefined };
  });
}

function alias(parser: Parser): readonly string[] {
  const path = [parser.expectName('a name, as in AS name or AS outer.inner')];
  while (parser.acceptSymbol('.')) path.push(parser.expectName('the name of a member'));
  return path;
}

/** Whether `value` is the keyword and not a member of that name: only when an expression follows. */
function isValueKeyword(parser: Parser): boolean {
  const next = parser.peek();
  if (next.kind === 'word') return !['from', 'as', 'where', 'and', 'or', 'in'].includes(next.text.toLowerCase());
  if (next.kind !== 'symbol') return next.kind !== 'end';
  if (next.text !== '*') return ['(', '{', '[', '-'].includes(next.text);
  const afterStar = parser.peek(next);
  if (afterStar.kind === 'word') return ['from', 'where'].includes(afterStar.text.toLowerCase());
  return afterStar.kind === 'end' || afterStar.text === ')';
}

function isPath(expression: Expression): boolean {
  if (expression.kind === 'member') return isPath(expression.of);
  return expression.kind === 'name' || expression.kind === 'variable';
}
