/** Substitution templates (https://docs.aws.amazon.com/iot/latest/developerguide/iot-substitution-templates.html). */
import { compileStatement } from '../../local/src/services/iot/rules/sql/compile-statement.ts';
import { compileTemplate } from '../../local/src/services/iot/rules/template.ts';
import { messageOf } from './iot-sql-fixture.ts';

const callExternal = async () => ({ state: 'known' });

/** Fills in a template of a rule whose statement has been evaluated for a message. */
async function fill(template: string, payload: unknown, options: { sql?: string; escapesDollar?: boolean } = {}) {
  const statement = compileStatement(options.sql ?? "SELECT * FROM 'a'");
  const outcome = await statement.evaluate(messageOf(payload), { accountId: '123456789012', callExternal });
  if (outcome.kind !== 'selected') throw new Error('nothing selected');
  const { variables } = statement;
  const compiled = compileTemplate(template, {
    variables,
    field: 's3.key',
    escapesDollar: options.escapesDollar ?? false,
  });
  return compiled({ scope: outcome.scope, callExternal });
}

describe('a template', () => {
  const cases: readonly (readonly [template: string, payload: unknown, expected: string])[] = [
    ['plain', {}, 'plain'],
    ['', {}, ''],
    [`\${topic()}/\${timestamp()}`, {}, 'things/myThings/thingOne/1481825251155'],
    [`a/\${id}/b-\${n + 1}.json`, { id: 'x', n: 1 }, 'a/x/b-2.json'],
    [`\${missing}`, {}, ''],
    [`\${nothing}`, { nothing: null }, ''],
    [`\${list}`, { list: [1, 'a'] }, '[1,"a"]'],
    [`\${get({"}": 5}, "}")}!`, {}, '5!'],
    [`\${'\${' + id + '}'}`, { id: 1 }, `\${1}`],
    ['costs $5 and $', {}, 'costs $5 and $'],
    [`\${replace(topic(), '/', '-') + '-' + timestamp()}`, {}, 'things-myThings-thingOne-1481825251155'],
    [`\${parse_time('yyyy', timestamp(), 'UTC')}`, {}, '2016'],
  ];

  it.each(cases)('%j of %j is %j', async (template, payload, expected) => {
    expect(await fill(template, payload)).toBe(expected);
  });

  it('reads the payload, not what SELECT has made, and the variables of SET', async () => {
    const sql = "SET @c = f - 32 SELECT 5 AS f, 6 AS alias FROM 'a'";

    expect(await fill(`\${f}|\${alias}|\${@c}`, { f: 40 }, { sql })).toBe('40||8');
  });

  it('may call external functions', async () => {
    const shadow = "get_thing_shadow('t', 'arn:aws:iam::123456789012:role/r').state";

    expect(await fill(`\${${shadow}}-\${a}`, { a: 1 })).toBe('known-1');
  });

  it('writes $$ for $ in the topic of republish only', async () => {
    expect(await fill(`$$aws/things/\${t}/shadow/update`, { t: 'x' }, { escapesDollar: true })).toBe(
      '$aws/things/x/shadow/update',
    );
    expect(await fill('$$aws', {})).toBe('$$aws');
  });

  it.each([
    [`\${a +}`, 's3.key: line 1, column 6: expected an expression but found "}"'],
    [`\${a`, 's3.key: line 1, column 4: expected "}" but found the end'],
    [`\${@unset}`, 's3.key: line 1, column 3: @unset is not set before it is used'],
  ])('that cannot be read is refused: %j', async (template, message) => {
    await expect(fill(template, {})).rejects.toMatchObject({ code: 'SqlParseException', message });
  });
});
