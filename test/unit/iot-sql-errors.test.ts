/** Statements that are refused when the rule is created, and what is said about them. */
import { compileStatement } from '../../local/src/services/iot/rules/sql/compile-statement.ts';

const ROLE = "'arn:aws:iam::123456789012:role/r'";

function refusal(sql: string): { readonly code: string; readonly message: string } {
  try {
    compileStatement(sql);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error(`not refused: ${sql}`);
}

describe('a statement that cannot be read', () => {
  const cases: readonly (readonly [sql: string, message: string])[] = [
    ['', 'line 1, column 1: expected SELECT but found the end'],
    ['SELECT', 'line 1, column 7: expected an expression but found the end'],
    ["SELECT FROM 'a'", 'line 1, column 8: expected an expression but found "FROM"'],
    ["SELECT a,\n  FROM 'a'", 'line 2, column 3: expected an expression but found "FROM"'],
    ["SELECT a FROM 'a' WHERE", 'column 24: expected an expression but found the end'],
    ["SELECT a FROM 'a' GROUP BY a", 'expected WHERE or the end of the statement but found "GROUP" (GROUP BY does not'],
    [
      "SELECT a FROM 'a' WHERE a LIKE 'x%'",
      '(LIKE does not exist; use startswith, endswith, indexof or regexp_matches)',
    ],
    ["SELECT a FROM 'a' WHERE a BETWEEN 1 AND 2", '(BETWEEN does not exist; use >= and <=)'],
    ["SELECT a FROM 'a' WHERE a IS NULL", '(IS does not exist; use isNull or isUndefined)'],
    ["SELECT a FROM 'a' WHERE a != 1", '(write <> for "not equal")'],
    ["SELECT a[0] FROM 'a'", '(use get(array, index) for one item of an array)'],
    ["SELECT mydata.item2.0 FROM 'a'", 'expected the name of a member but found "0"'],
    ["SELECT a FROM 'b", '(the string is not closed)'],
    ["SELECT CASE WHEN a = 1 THEN 2 END AS b FROM 'a'", 'AWS IoT SQL has no CASE WHEN condition'],
    ["SELECT CASE a END AS b FROM 'a'", 'expected WHEN but found "END"'],
    ["SELECT {a: 1} FROM 'a'", 'expected a quoted key but found "a"'],
    ["SELECT (SELECT a FROM 'x') AS b FROM 'a'", 'expected the path of an array or object'],
    ["SELECT (SELECT a FROM get(b, 0)) AS b FROM 'a'", 'a nested SELECT reads FROM a path'],
    ["SELECT a + 1 FROM 'a'", 'column 10: this item needs a name: write AS name after it'],
    ["SELECT a FROM ''", 'the topic filter is empty'],
    ["SELECT a FROM 'a/#/b'", '"#" is the last level of a topic filter: a/#/b'],
    ["SELECT a FROM 'a/b+'", '"+" and "#" stand alone in a level: a/b+'],
    ["SELECT cast(a AS Date) AS b FROM 'a'", 'cast has no type date; it has string, nvarchar'],
    ['SELECT cast(a AS constructor) AS b', 'cast has no type constructor'],
    ['SELECT 1E999 AS a', 'the number 1E999 is too large'],
    [`SELECT ${'('.repeat(200)}1${')'.repeat(200)} AS a`, 'expressions may be nested 100 deep'],
    [`SELECT ${'- '.repeat(200)}1 AS a`, 'expressions may be nested 100 deep'],
    [`SELECT ${'1+'.repeat(1001)}1 AS a`, 'at most 1000 operators'],
  ];

  it.each(cases)('%j', (sql, message) => {
    const error = refusal(sql);

    expect(error.code).toBe('SqlParseException');
    expect(error.message).toContain(message);
  });
});

describe('variables (iot-sql-set.html#iot-sql-set-limits)', () => {
  const many = Array.from({ length: 11 }, (_, at) => `@v${at} = ${at}`).join(', ');
  const cases: readonly (readonly [sql: string, message: string])[] = [
    [`SET ${many} SELECT 1 AS a`, 'a statement has at most 10 variables'],
    [`SET @${'x'.repeat(65)} = 1 SELECT 1 AS a`, 'the name of a variable has at most 64 characters'],
    ['SET @a = 1, @a = 2 SELECT 1 AS a', '@a is set twice'],
    ['SET @a = @b, @b = 1 SELECT 1 AS a', '@b is not set before it is used'],
    ['SELECT @a AS a', '@a is not set before it is used'],
    ['SET a = 1 SELECT 1 AS a', 'expected a variable, as in SET @name = expression but found "a"'],
  ];

  it.each(cases)('%j', (sql, message) => {
    expect(refusal(sql).message).toContain(message);
  });
});

describe('functions', () => {
  const once = `get_dynamodb('t', 'k', 1, ${ROLE})`;
  const cases: readonly (readonly [sql: string, message: string])[] = [
    ['SELECT userdefined(a) AS b', 'AWS IoT SQL has no function userdefined'],
    ['SELECT __proto__(a) AS b', 'AWS IoT SQL has no function __proto__'],
    ["SELECT machinelearning_predict('m', 'r', a) AS b", 'does not emulate machinelearning_predict'],
    [`SELECT get_secret('s', 'SecretFile', ${ROLE}) AS b`, "'SecretString' or 'SecretBinary', not 'SecretFile'"],
    ["SELECT decode(*, 'proto', 'b', 'k', 'd', 'm') AS b", "does not emulate decode with 'proto'"],
    ["SELECT decode(a, 'hex') AS b", "decode has no scheme 'hex'"],
    ["SELECT encode(a, scheme) AS b FROM 'x'", 'the scheme of encode has to be a text in quotes'],
    ['SELECT upper(*) AS b', 'upper does not take *; encode, decode and aws_lambda do'],
    ["SELECT parse_time('yyyy-bb', 0) AS t", 'parse_time: the pattern letter bb is not supported'],
    [`SELECT parse_time("yyyy 'x", 0) AS t`, 'has a quote that is not closed'],
    ["SELECT time_to_epoch(a, 'YYYY-ww') AS t", 'time_to_epoch: the pattern letter YYYY is not supported'],
    [`SELECT ${once} AS a, ${once} AS b`, 'get_dynamodb may be called once in a statement'],
    ["SELECT get_thing_shadow('t', role) AS s FROM 'x'", 'the role of get_thing_shadow has to be a text in quotes'],
    ["SELECT get_thing_shadow('t', 'nobody') AS s", 'the last argument of get_thing_shadow is the ARN of a role'],
    [`SELECT get_registry_data('ListThings', 't', ${ROLE}) AS s`, "get_registry_data has no operation 'ListThings'"],
    [`SELECT get_or_default(a, ${once}) AS b`, 'the default of get_or_default may not ask another service'],
    [
      `SELECT (SELECT get_thing_shadow(n, ${ROLE}) AS s FROM e) AS b`,
      'does not emulate get_thing_shadow inside a nested',
    ],
  ];

  it.each(cases)('%j', (sql, message) => {
    const error = refusal(sql);

    expect(error.code).toBe('SqlParseException');
    expect(error.message).toContain(message);
  });
});
