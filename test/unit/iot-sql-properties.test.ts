/** What holds for every statement and every message. */
import fc from 'fast-check';
import { compileStatement } from '../../local/src/services/iot/rules/sql/compile-statement.ts';
import { FUNCTIONS } from '../../local/src/services/iot/rules/sql/functions/index.ts';
import { toJsonText } from '../../local/src/services/iot/rules/sql/json.ts';
import { messageOf } from './iot-sql-fixture.ts';

const context = { accountId: '123456789012', callExternal: () => Promise.reject(new Error('none')) };
const EXTERNAL = ['aws_lambda', 'get_dynamodb', 'get_thing_shadow', 'get_registry_data'];
/** Their second argument is a word, not an expression. */
const CODED = ['encode', 'decode'];

const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(1e300));
const json = fc.jsonValue({ maxDepth: 3 });
/** Members a, b and c, so that expressions find them. */
const payload = fc.oneof(
  { weight: 4, arbitrary: fc.record({ a: json, b: json, c: fc.array(json) }, { requiredKeys: [] }) },
  json,
  fc.uint8Array(),
);

const literal = fc.oneof(
  number.filter((value) => value >= 0 && !String(value).includes('e+')).map(String),
  fc.string().map((text) => `'${text.replaceAll("'", "''")}'`),
  fc.constantFrom('NULL', 'true', 'false', '"a{2,"', "'(a+)+$'", "'yyyy''x'"),
);

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const inner = tie('expression');
  const operators = ['AND', 'OR', '=', '<>', '<', '<=', '>', '>=', 'IN', '+', '-', '*', '/', '%'];
  const call = fc
    .constantFrom(...[...FUNCTIONS.keys()].filter((name) => !EXTERNAL.includes(name) && !CODED.includes(name)))
    .chain((name) => fc.array(inner, { maxLength: 3 }).map((args) => `${name}(${args.join(', ')})`));
  return {
    expression: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      literal,
      fc.constantFrom('a', 'b', 'c', 'a.b', 'missing', 'a.__proto__', '__proto__', 'constructor'),
      fc.tuple(inner, fc.constantFrom(...operators), inner).map((parts) => `(${parts.join(' ')})`),
      inner.map((operand) => `(NOT ${operand})`),
      inner.map((operand) => `(- ${operand})`),
      call,
      inner.map((operand) => `decode(encode(${operand}, 'base64'), 'base64')`),
      fc.tuple(inner, fc.constantFrom('Int', 'Decimal', 'String', 'Boolean')).map(([v, t]) => `cast(${v} AS ${t})`),
      fc.tuple(inner, inner, inner, inner).map(([v, w, r, e]) => `CASE ${v} WHEN ${w} THEN ${r} ELSE ${e} END`),
      fc.tuple(inner, inner).map(([one, two]) => `{'one': ${one}, '__proto__': ${two}}`),
      fc.array(inner, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      fc.tuple(inner, inner).map(([item, where]) => `(SELECT ${item} AS x, * FROM c AS e WHERE ${where})`),
      inner.map((where) => `EXISTS (SELECT VALUE e FROM c AS e WHERE ${where})`),
    ),
  };
});

/** A pattern of parse_time that is refused when it is a literal is no counter-example. */
function compiled(sql: string): ReturnType<typeof compileStatement> | undefined {
  try {
    return compileStatement(sql);
  } catch (error) {
    if ((error as { code?: string }).code === 'SqlParseException') return undefined;
    throw error;
  }
}

describe('every statement', () => {
  it('gives an outcome for every message, and JSON without Undefined', () => {
    fc.assert(
      fc.property(expression, expression, expression, payload, (value, item, where, given) => {
        const statement = compiled(
          `SET @v = ${value} SELECT *, ${item} AS a.item, @v AS v FROM 'x' WHERE ${where} OR true`,
        );
        fc.pre(statement !== undefined);

        const outcome = statement?.evaluate(messageOf(given), context);

        if (outcome instanceof Promise) throw new Error('a statement without external functions does not wait');
        if (outcome?.kind === 'selected') expect(() => JSON.parse(outcome.payload.text)).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  it('never changes the payload, which other rules read too', () => {
    fc.assert(
      fc.property(expression, payload, (item, given) => {
        const statement = compiled(`SELECT *, ${item} AS a.b.c, 1 AS b.d FROM 'x'`);
        const message = messageOf(given);
        const before = toJsonText(message.json);

        statement?.evaluate(message, context);

        expect(toJsonText(message.json)).toBe(before);
      }),
      { numRuns: 1000 },
    );
  });

  it('is either compiled or refused with a place in its text', () => {
    const words = fc.constantFrom(
      ...'SELECT FROM WHERE AS SET VALUE CASE WHEN END IN EXISTS ( ) { } [ ] , . * + - = < @a a constructor __proto__ cast(a 1'.split(
        ' ',
      ),
    );
    const text = fc.array(fc.oneof(words, fc.string({ maxLength: 3 }))).map((parts) => parts.join(' '));

    fc.assert(
      fc.property(text, (sql) => {
        try {
          compileStatement(sql);
        } catch (error) {
          expect((error as Error).message).toMatch(/^line \d+, column \d+: /);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('numbers', () => {
  it('of few digits add, subtract and multiply as on paper', () => {
    const decimal = fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 4 }));

    fc.assert(
      fc.property(decimal, decimal, fc.constantFrom('+', '-', '*'), ([a, digitsOfA], [b, digitsOfB], operator) => {
        const [first, second] = [a / 10 ** digitsOfA, b / 10 ** digitsOfB];
        const outcome = compileStatement(`SELECT VALUE a ${operator} b`).evaluate(
          messageOf({ a: first, b: second }),
          context,
        );
        // Scaled to integers, which BigInt computes exactly.
        const [x, y] = [BigInt(a) * 10n ** BigInt(digitsOfB), BigInt(b) * 10n ** BigInt(digitsOfA)];
        const exact = operator === '*' ? BigInt(a) * BigInt(b) : operator === '+' ? x + y : x - y;
        const expected = Number(exact) / 10 ** (digitsOfA + digitsOfB);

        expect(outcome).toMatchObject({ payload: { value: expected === 0 ? 0 : expected } });
      }),
    );
  });
});

describe('a payload that is meant to do harm', () => {
  it('nested a hundred thousand deep fails by itself', () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const statement = compileStatement("SELECT a = a AS same, cast(a AS String) AS text FROM 'x'");

    expect(statement.evaluate(messageOf(deep), context)).toMatchObject({
      kind: expect.stringMatching(/failed|selected/),
    });
  });

  it('does not make a regular expression backtrack for ever', () => {
    const statement = compileStatement("SELECT regexp_matches(a, '(a+)+$') AS found FROM 'x'");

    const outcome = statement.evaluate(messageOf({ a: `${'a'.repeat(50_000)}b` }), context);

    expect(outcome).toMatchObject({ payload: { value: { found: false } } });
  });
});
