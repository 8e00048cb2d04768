import { selection } from './parse-selection.ts';
import { Parser } from './parser.ts';
import type { Assignment, Statement } from './syntax-tree.ts';
import { bareFilterAt, tokenAt } from './tokens.ts';

/** https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-set.html#iot-sql-set-limits */
const MAX_VARIABLES = 10;
const MAX_VARIABLE_NAME_LENGTH = 64;

/** Reads a rule's SQL. Throws SqlParseException with line, column and what was expected. */
export function parseStatement(source: string): Statement {
  const parser = new Parser(source);
  const variables = parser.isWord('set') ? assignments(parser) : [];
  parser.expectWord('select');
  const select = selection(parser);
  const topicFilter = parser.isWord('from') ? filter(parser) : undefined;
  const where = parser.acceptWord('where') ? parser.expression() : undefined;
  if (parser.token.kind !== 'end') {
    const next = where ? 'AND, OR' : topicFilter === undefined ? '",", AS, FROM, WHERE' : 'WHERE';
    parser.unexpected(`${next} or the end of the statement`);
  }
  return { variables, select, topicFilter, where };
}

function assignments(parser: Parser): readonly Assignment[] {
  parser.advance();
  const found: Assignment[] = [];
  do {
    if (parser.token.kind !== 'variable') parser.unexpected('a variable, as in SET @name = expression');
    const { text: name, start: at } = parser.advance();
    if (name.length > MAX_VARIABLE_NAME_LENGTH) {
      parser.fail(at, `the name of a variable has at most ${MAX_VARIABLE_NAME_LENGTH} characters`);
    }
    if (found.some((each) => each.name === name)) parser.fail(at, `@${name} is set twice`);
    parser.expectSymbol('=');
    found.push({ name, value: parser.expression(), at });
  } while (parser.acceptSymbol(','));
  const tooMany = found[MAX_VARIABLES];
  if (tooMany) parser.fail(tooMany.at, `a statement has at most ${MAX_VARIABLES} variables`);
  return found;
}

/** The filter stands in quotes; without them it ends at the next space. */
function filter(parser: Parser): string {
  const quoted = parser.peek();
  if (quoted.kind === 'string') {
    parser.advance();
    parser.advance();
    return checked(parser, quoted.text, quoted.start);
  }
  const bare = bareFilterAt(parser.source, quoted.start);
  parser.advance();
  if (bare === '') parser.unexpected("a topic filter in quotes, as in FROM 'topic/#'");
  parser.token = tokenAt(parser.source, quoted.start + bare.length);
  return checked(parser, bare, quoted.start);
}

/** https://docs.aws.amazon.com/iot/latest/developerguide/topics.html#topicfilters */
function checked(parser: Parser, text: string, at: number): string {
  if (text === '') parser.fail(at, 'the topic filter is empty');
  const levels = text.split('/');
  for (const [index, level] of levels.entries()) {
    const last = index === levels.length - 1;
    if (level.length > 1 && /[+#]/.test(level)) parser.fail(at, `"+" and "#" stand alone in a level: ${text}`);
    if (level === '#' && !last) parser.fail(at, `"#" is the last level of a topic filter: ${text}`);
  }
  return text;
}
