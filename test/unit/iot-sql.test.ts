/**
 * IoT SQL by the pages of the AWS IoT Core developer guide; each group names its page,
 * https://docs.aws.amazon.com/iot/latest/developerguide/<page>.html. The examples of the pages are among the cases.
 */
import { inspect } from 'node:util';
import { evaluate, select } from './iot-sql-fixture.ts';

type Case = readonly [expression: string, expected: unknown, payload?: unknown];

/** Each case is an expression and its value. */
function expressions(page: string, cases: readonly Case[]): void {
  describe(page, () => {
    for (const [expression, expected, payload] of cases) {
      it(`${expression} is ${inspect(expected)}`, async () => {
        expect(await select(`SELECT VALUE ${expression} FROM 'a/b'`, payload)).toEqual(expected);
      });
    }
  });
}

/** Each case is a statement and what it makes of a payload. */
function statements(
  page: string,
  cases: readonly (readonly [sql: string, payload: unknown, expected: unknown])[],
): void {
  describe(page, () => {
    for (const [sql, payload, expected] of cases) {
      it(`${sql} of ${JSON.stringify(payload)}`, async () => {
        expect(await select(sql, payload)).toEqual(expected);
      });
    }
  });
}

expressions('iot-sql-data-types', [
  ['abs("-5.123")', 5.123],
  ['abs("5E-12")', 5e-12],
  ['abs("x")', undefined],
  ['abs(" 5")', undefined],
  ['abs(true)', undefined],
  ['abs([1])', undefined],
  ['abs({"a": 1})', undefined],
  ['abs(null)', undefined],
  ['NULL', null],
  ['foo', null, { foo: null }],
  ['bar', undefined, { foo: null }],
  ['big', 12345678901234567890n, '{"big":12345678901234567890}'],
  ['big + 1', 12345678901234567891n, '{"big":12345678901234567890}'],
  ['9007199254740993 = big', true, '{"big":9007199254740993}'],
  ['{"foo": null, "bar": bar}', { foo: null }],
  ['[1, bar, 2]', [1, 2]],
  ['constructor', undefined],
  ['a.toString', undefined, { a: {} }],
  ['a.length', undefined, { a: 'text' }],
]);

expressions('iot-sql-operators: AND, OR, NOT', [
  ['true AND true', true],
  ['true AND false', false],
  ['"TRUE" and "true"', true],
  ['"yes" AND true', undefined],
  ['false AND 1', undefined],
  ['true OR missing', undefined],
  ['false OR "True"', true],
  ['NOT true', false],
  ['NOT "false"', true],
  ['NOT 1', undefined],
  ['true OR false AND false', true],
  ['NOT false AND false', false],
]);

expressions('iot-sql-operators: IN, EXISTS', [
  ['3 IN arr', true, { arr: [1, 2, 3, 'three', 5.7, null] }],
  ['"three" in arr', true, { arr: [1, 2, 3, 'three', 5.7, null] }],
  ['4 IN arr', false, { arr: [1, 2, 3] }],
  ['[1] IN [[1], 2]', true],
  ['{"a": 1} IN [{"a": 1}]', true],
  ['3 IN 3', undefined],
  ['missing IN [1]', undefined],
  ['EXISTS (SELECT * FROM arr AS a WHERE a = 3)', true, { arr: [1, 2, 3] }],
  ['exists (select * from arr as a where a = 4)', false, { arr: [1, 2, 3] }],
  ['exists (select * from e as e where foo = 2)', true, { foo: 4, bar: 5, e: [{ foo: 1 }, { foo: 2 }] }],
  ['exists (select * from e as e where foo = 4)', false, { foo: 4, bar: 5, e: [{ foo: 1 }, { foo: 2 }] }],
  ['exists (select * from missing)', false],
]);

expressions('iot-sql-operators: comparisons', [
  ['2 > 1', true],
  ['1 > 1', false],
  ['1 >= 1', true],
  ['1 < 1.5', true],
  ['1 <= 0', false],
  ['"10" > 9', true],
  ['"abc" > "abb"', undefined],
  ['true > false', undefined],
  ['missing > 1', undefined],
  ['missing <= 1', undefined],
  ['null < 1', undefined],
]);

expressions('iot-sql-operators: = and <>', [
  ['1 = 1.0', true],
  ['1 = "1"', false],
  ['"a" = \'a\'', true],
  ['[1, 2] = [1, 2]', true],
  ['[1, 2] = [2, 1]', false],
  ['a = b', true, { a: { x: 1, y: [2] }, b: { y: [2], x: 1 } }],
  ['true = "true"', false],
  ['null = null', true],
  ['null = 0', false],
  ['missing = 1', undefined],
  ['missing = missing', undefined],
  ['1 <> 2', true],
  ['1 <> "1"', true],
  ['null <> null', false],
  ['missing <> 1', undefined],
  ['[1] <> [1]', false],
]);

expressions('iot-sql-operators: arithmetic', [
  ['1 + 2', 3],
  ['1.5 + 2', 3.5],
  ['0.1 + 0.2', 0.3],
  ['1.1 * 3', 3.3],
  ['100.1 - 100', 0.1],
  ['"a" + 1', 'a1'],
  ['1 + "a"', '1a'],
  ['"1" + 2', '12'],
  ['"a" + [1, "b"]', 'a[1,"b"]'],
  ['"a" + true', 'atrue'],
  ['"a" + null', undefined],
  ['"a" + missing', undefined],
  ['true + 1', undefined],
  ['3 - 5', -2],
  ['"3" - 1', 2],
  ['"x" - 1', undefined],
  ['2 * 3.5', 7],
  ['7 / 2.5', 2.8],
  ['6 / 2', 3],
  ['1 / 0', undefined],
  ['1.5 / 0', undefined],
  ['-7 / 2', -3],
  ['8 % 3', 2],
  ['-8 % 3', -2],
  ['5.5 % 1.1', 0],
  ['5 % 0', undefined],
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3', 9],
  ['-(-2)', 2],
  ['10 - 2 - 3', 5],
  ['9007199254740991 + 1', 9007199254740992n],
]);

// The table of operators says Int / Int = Int; the page of SET shows 23.89. See divide() in sql/number.ts.
expressions('iot-sql-operators: division of Ints', [
  ['(temperature - 32) * 5 / 9', 10, { temperature: 50 }],
  ['(75 - 32) * 5 / 9', 23],
  ['7 / 2', 3],
]);

expressions('iot-sql-functions: numbers', [
  ['abs(-5)', 5],
  ['abs(5.5)', 5.5],
  ['acos(0)', 1.5707963267948966],
  ['acos(2)', undefined],
  ['asin(0)', 0],
  ['atan(0)', 0],
  ['atan2(1, 0)', 1.5707963267948966],
  ['cos(0)', 1],
  ['cosh(2.3)', 5.037220649268761],
  ['sin(0)', 0],
  ['sinh(2.3)', 4.936961805545957],
  ['tan(3)', -0.1425465430742778],
  ['tanh(2.3)', 0.9800963962661914],
  ['exp(1)', Math.E],
  ['ln(exp(1))', 1],
  ['ln(0)', undefined],
  ['log(100)', 2],
  ['sqrt(9)', 3],
  ['sqrt("9")', 3],
  ['sqrt(-1)', undefined],
  ['power(2, 5)', 32],
  ['power(2, "x")', undefined],
  ['mod(8, 3)', 2],
  ['remainder(8, 3)', 2],
  ['bitand(13, 5)', 5],
  ['bitor(8, 5)', 13],
  ['bitxor(13, 5)', 8],
  ['bitand("13.9", 5)', 5],
  ['bitand(true, 5)', undefined],
  ['bitnot(13)', 2],
  ['ceil(1.2)', 2],
  ['ceil(-1.2)', -1],
  ['ceil("1.2")', 2],
  ['floor(1.2)', 1],
  ['floor(-1.2)', -2],
  ['round(1.2)', 1],
  ['Round(1.5)', 2],
  ['round(1.7)', 2],
  ['round(-1.1)', -1],
  ['round(-1.5)', -2],
  ['sign(-7)', -1],
  ['sign(0)', 0],
  ['sign(13)', 1],
  ['trunc(2.3, 0)', 2],
  ['trunc(2.3123, 2)', 2.31],
  ['trunc(2.888, 2)', 2.88],
  ['trunc(2.00, 5)', 2],
  ['trunc(-2.999, -5)', -2],
  ['trunc("1.29", 1)', 1.2],
  ['trunc(1.29, "1")', undefined],
  ['nanvl(8, 3)', 8],
  ['Nanvl(missing, 3)', 3],
  ['nanvl(null, 3)', 3],
  ['isNull(5)', false],
  ['isNull(Null)', true],
  ['isNull(missing)', false],
  ['isUndefined(5)', false],
  ['isUndefined(floor([1, 2, 3]))', true],
  ['isUndefined(null)', false],
]);

expressions('iot-sql-functions: texts', [
  ['chr(65)', 'A'],
  ['chr("49.9")', '1'],
  ['chr(128)', undefined],
  ['chr(-1)', undefined],
  ['concat()', undefined],
  ['concat(1)', 1],
  ['concat([1, 2, 3], 4)', [1, 2, 3, 4]],
  ['concat([1, 2, 3], "hello")', [1, 2, 3, 'hello']],
  ['concat("con", "cat")', 'concat'],
  ['concat(1, "hello")', '1hello'],
  ['concat("he", "is", "man")', 'heisman'],
  ['concat([1, 2, 3], "hello", [4, 5, 6])', [1, 2, 3, 'hello', 4, 5, 6]],
  ['concat(1, 2)', undefined],
  ['endswith("cat", "at")', true],
  ['endswith("cat", null)', undefined],
  ['startswith("ranger", "ran")', true],
  ['startswith(123, 12)', true],
  ['indexof("abcd", "bc")', 1],
  ['indexof("abcd", "x")', -1],
  ['length("hi")', 2],
  ['length(false)', 5],
  ['length(null)', undefined],
  ['numbytes("hi")', 2],
  ['numbytes("€")', 3],
  ['lower("HELLO")', 'hello'],
  ['lower(["HELLO"])', '["hello"]'],
  ['upper("hello")', 'HELLO'],
  ['upper(["hello"])', '["HELLO"]'],
  ['lpad("hello", 2)', '  hello'],
  ['lpad(1, 3)', '   1'],
  ['rpad("hello", 2)', 'hello  '],
  ['rpad(1, "3.9")', '1   '],
  ['rpad("x", -4)', 'x'],
  ['length(lpad("x", 5000))', 1001],
  ['lpad("x", true)', undefined],
  ['ltrim(" h i ")', 'h i '],
  ['rtrim(" h i ")', ' h i'],
  ['Trim(" hi ")', 'hi'],
  ['replace("abcd", "bc", "x")', 'axd'],
  ['replace("abcdabcd", "b", "x")', 'axcdaxcd'],
  ['replace("a", "a", "$&$1")', '$&$1'],
  ['substring("012345", 0)', '012345'],
  ['substring("012345", 2)', '2345'],
  ['substring("012345", 2.745)', '2345'],
  ['substring(123, 2)', '3'],
  ['substring("012345", -1)', '012345'],
  ['substring(true, 1.2)', 'rue'],
  ['substring(false, -2.411E247)', 'false'],
  ['substring("012345", 1, 3)', '12'],
  ['substring("012345", -50, 50)', '012345'],
  ['substring("012345", 3, 1)', ''],
  ['substring("012345", "x")', undefined],
  ['get(["a", "b", "c"], 1)', 'b'],
  ['get({"a": "b"}, "a")', 'b'],
  ['get("abc", 0)', 'a'],
  ['get(["a"], 1)', undefined],
  ['get(["a"], -1)', undefined],
  ['get(["a", "b"], "1.9")', 'b'],
  ['get(["a", "b"], 0.6)', 'b'],
  ['get({"1": "b"}, 1)', undefined],
  ['get(5, 0)', undefined],
]);

expressions('iot-sql-functions: regular expressions', [
  ['regexp_matches("aaaa", "a{2,}")', true],
  ['regexp_matches("aaaa", "b")', false],
  ['regexp_matches("aaa", "(aaa|bbb)")', true],
  ['regexp_matches("bbb", "(aaa|bbb)")', true],
  ['regexp_matches("ccc", "(aaa|bbb)")', false],
  ['regexp_matches("sensor7", "^sensor\\d$")', true],
  ['regexp_matches("ABC", "(?i)abc")', true],
  ['regexp_matches("a", "(")', undefined],
  ['regexp_matches("a", pattern)', undefined, { pattern: '[' }],
  ['regexp_matches(null, "a")', undefined],
  ['regexp_matches(123, 2)', true],
  ['regexp_replace("abcd", "bc", "x")', 'axd'],
  ['regexp_replace("abcd", "b(.*)d", "$1")', 'ac'],
  ['regexp_replace("aXbX", "X", "-")', 'a-b-'],
  ['regexp_replace("a", "a", "\\$1")', '$1'],
  ['regexp_replace("ab", "(a)", "$12")', 'a2b'],
  [`regexp_replace("ab", "(?<first>a)", "\${first}\${first}")`, 'aab'],
  ['regexp_replace("ab", "a", "$9")', undefined],
  ['regexp_replace("ab", "a", "$")', undefined],
  ['regexp_substr("hihihello", "hi")', 'hi'],
  ['regexp_substr("hihihello", "(hi)*")', 'hihi'],
  ['regexp_substr("abc", "x")', undefined],
]);

expressions('iot-sql-functions: hashes', [
  ['md2("hello")', 'a9046c73e00331af68917d3804f70655'],
  ['md5("hello")', '5d41402abc4b2a76b9719d911017c592'],
  ['sha1("hello")', 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d'],
  ['sha224("abc")', '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7'],
  ['sha256("abc")', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['sha384("abc")', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'],
  ['length(sha512(1))', 128],
  ['md5(null)', undefined],
]);

expressions('iot-sql-functions: cast', [
  ['cast(true as Int)', 1],
  ['cast(false as Decimal)', 0],
  ['cast(1.9 as Int)', 1],
  ['cast(-1.2 as Integer)', -2],
  ['cast("1.9" as Int)', 1],
  ['cast("5E-1" as Decimal)', 0.5],
  ['cast("x" as Double)', undefined],
  ['cast(0 as Bool)', false],
  ['cast(0.5 as Boolean)', true],
  ['cast("TRUE" as Boolean)', true],
  ['cast("yes" as Boolean)', undefined],
  ['cast([1, "a"] as String)', '[1,"a"]'],
  ['cast({"a": null} as varchar)', '{"a":null}'],
  ['cast(0.0000001 as Text)', '1E-7'],
  ['cast(12.5 as Nvarchar)', '12.5'],
  ['cast(null as String)', undefined],
  ['cast([1] as Int)', undefined],
]);

expressions('iot-sql-functions: encode, decode', [
  ['decode(encoded_temp, "base64").temperature', 33, { encoded_temp: 'eyAidGVtcGVyYXR1cmUiOiAzMyB9Cg==' }],
  ['decode("aGVsbG8=", "base64")', 'hello'],
  ['decode("not base64!", "base64")', null],
  ['decode(missing, "base64")', undefined],
  ['encode("hello", \'base64\')', 'aGVsbG8='],
  ['encode(1 + 1, "base64")', 'Mg=='],
  ['encode(null, "base64")', undefined],
  ['encode(*, "base64")', Buffer.from('{"a":1}').toString('base64'), { a: 1 }],
]);

expressions('iot-sql-functions: times', [
  [`parse_time("yyyy.MM.dd G 'at' HH:mm:ss z", 100000000, 'America/Belize')`, '1970.01.01 AD at 21:46:40 CST'],
  [`parse_time("yyyy.MM.dd G 'at' HH:mm:ss z", timestamp())`, '2016.12.15 AD at 18:07:31 UTC'],
  ['parse_time("yyyy", timestamp(), "UTC")', '2016'],
  [`parse_time("yyyy-MM-dd'T'HH:mm:ss.SSSZZ", timestamp())`, '2016-12-15T18:07:31.155+00:00'],
  ['parse_time("yy MMM EEE EEEE D w x", timestamp())', '16 Dec Thu Thursday 350 50 2016'],
  ['parse_time("h a K k Z", 0, "Asia/Kolkata")', '5 AM 5 5 +0530'],
  ['parse_time("HH:mm", 0, "+02:00")', '02:00'],
  ['parse_time("HH", 0, "No/Where")', undefined],
  ['parse_time("HH", "x")', undefined],
  ['parse_time(pattern, 0)', undefined, { pattern: 'b' }],
  ['parse_time(pattern, 0)', "o'clock 0", { pattern: "'o''clock' H" }],
  ['time_to_epoch("2020-04-03 09:45:18 UTC+01:00", "yyyy-MM-dd HH:mm:ss VV")', 1585903518000],
  ['time_to_epoch("18 December 2015", "dd MMMM yyyy")', 1450396800000],
  ['time_to_epoch("2007-12-03 10:15:30.592 America/Los_Angeles", "yyyy-MM-dd HH:mm:ss.SSS z")', 1196705730592],
  [`time_to_epoch("2016-12-15T18:07:31Z", "yyyy-MM-dd'T'HH:mm:ssX")`, 1481825251000],
  ['time_to_epoch("20161215180731155", "yyyyMMddHHmmssSSS")', 1481825251155],
  ['time_to_epoch("3/7/21 5:04 PM", "M/d/yy h:mm a")', 1615136640000],
  ['time_to_epoch("2021-02-31", "yyyy-MM-dd")', 1614470400000],
  ['time_to_epoch("2021-13-01", "yyyy-MM-dd")', undefined],
  ['time_to_epoch("2021-01-01 x", "yyyy-MM-dd")', undefined],
  ['time_to_epoch("12:00", "HH:mm")', undefined],
]);

expressions('iot-sql-functions: the message', [
  ['topic()', 'things/myThings/thingOne'],
  ['topic(1)', 'things'],
  ['topic("2")', 'myThings'],
  ['topic(4)', undefined],
  ['topic(0)', undefined],
  ['clientid()', 'client1'],
  ['timestamp()', 1481825251155],
  ['principal()', 'ba67293af50bf2506f5f93469686da660c7c844e7b3950bfb16813e0d31e9373'],
  ['accountid()', '123456789012'],
  ['sourceip()', '192.158.1.38'],
  ['sql_version()', '2016-03-23'],
  ['traceid()', '12345678-1234-1234-1234-123456789012'],
  ['length(newuuid())', 36],
  ['rand() < 1', true],
  ['get_mqtt_property("format_indicator")', 'UNSPECIFIED_BYTES'],
  ['get_mqtt_property("content_type")', undefined],
  ['get_mqtt_property("some_invalid_name")', undefined],
  ['get_user_properties("x")', undefined],
  ['topic(1, 2)', undefined],
]);

describe('iot-sql-functions: a message of MQTT 5', () => {
  const properties = {
    contentType: 'text/plain',
    payloadFormatIndicator: true,
    responseTopic: 'answer',
    correlationData: Buffer.from('id'),
    userProperties: [
      ['some key', 'some value'],
      ['a different key', 'a different value'],
      ['some key', 'value with duplicate key'],
    ] as const,
  };

  const cases: readonly Case[] = [
    ['get_mqtt_property("content_type")', 'text/plain'],
    ['get_mqtt_property("format_indicator")', 'UTF8_DATA'],
    ['get_mqtt_property("response_topic")', 'answer'],
    ['get_mqtt_property("correlation_data")', 'aWQ='],
    ['get_user_properties("some key")', ['some value', 'value with duplicate key']],
    ['get_user_properties("a different key")', ['a different value']],
    ['get_user_properties("non-existent key")', undefined],
    [
      'get_user_properties()',
      [
        { 'some key': 'some value' },
        { 'a different key': 'a different value' },
        { 'some key': 'value with duplicate key' },
      ],
    ],
  ];

  it.each(cases)('%s', async (expression, expected) => {
    expect(await select(`SELECT VALUE ${expression}`, {}, { properties })).toEqual(expected);
  });

  it('outside MQTT there is no client and no trace', async () => {
    const message = { clientId: undefined, principal: undefined, sourceIp: undefined };

    const found = await select(
      'SELECT clientid() AS c, traceid() AS t, principal() AS p, sourceip() AS s',
      {},
      message,
    );

    expect(found).toEqual({ c: 'n/a' });
  });
});

expressions('iot-sql-functions: get_or_default', [
  ['get_or_default(a, 1)', 5, { a: 5 }],
  ['get_or_default(a, 1)', 1],
  ['get_or_default(null, 1)', 1],
  ['get_or_default(a)', undefined],
  ['get_or_default(false, true)', false],
  [
    "get_or_default(CASE status WHEN 'active' THEN 'GOOD' WHEN 'inactive' THEN 'BAD' END, 'UNKNOWN')",
    'UNKNOWN',
    { status: 'other' },
  ],
]);

const TRANSFORMED = { attributes: { data1: 1, data2: 2 }, values: [{ a: 3 }, { b: 4 }, { c: 5 }] };

statements('iot-sql-functions: transform', [
  [
    `select value transform("enrichArray", attributes, values) from 'A/B'`,
    TRANSFORMED,
    [
      { a: 3, data1: 1, data2: 2 },
      { b: 4, data1: 1, data2: 2 },
      { c: 5, data1: 1, data2: 2 },
    ],
  ],
  [
    `select value transform("enrichArray", {"key": attributes.data1}, values) from 'A/B'`,
    TRANSFORMED,
    [
      { a: 3, key: 1 },
      { b: 4, key: 1 },
      { c: 5, key: 1 },
    ],
  ],
  [
    "select value transform('enrichArray', (select a, b from data2), (select value c from data2)) from 'A/B'",
    {
      data1: 'example',
      data2: {
        a: 'first',
        b: 'second',
        c: [
          { x: { i: 5 }, y: true },
          { x: { i: 10 }, y: false },
        ],
      },
    },
    [
      { x: { i: 5 }, y: true, a: 'first', b: 'second' },
      { x: { i: 10 }, y: false, a: 'first', b: 'second' },
    ],
  ],
  [`SELECT transform("other", attributes, values) AS x FROM 'A/B'`, TRANSFORMED, {}],
  [`SELECT transform("enrichArray", attributes, [1]) AS x FROM 'A/B'`, TRANSFORMED, {}],
]);

const COLOR = { color: 'red', temperature: 50 };

statements('iot-sql-select', [
  ["SELECT * FROM 'topic/subtopic'", COLOR, COLOR],
  ["SELECT color FROM 'topic/subtopic'", COLOR, { color: 'red' }],
  ["SELECT color AS my_color FROM 'topic/subtopic'", COLOR, { my_color: 'red' }],
  [
    "SELECT color as my_color, temperature as fahrenheit FROM 'topic/subtopic'",
    COLOR,
    { my_color: 'red', fahrenheit: 50 },
  ],
  ["SELECT *, 15 as speed FROM 'topic/subtopic'", COLOR, { ...COLOR, speed: 15 }],
  ["SELECT *, 'blue' AS color FROM 'topic/subtopic'", COLOR, { color: 'blue', temperature: 50 }],
  ["SELECT VALUE color FROM 'topic/subtopic'", COLOR, 'red'],
  ["SELECT color.red as red_value FROM 'topic/subtopic'", { color: { red: 255 } }, { red_value: 255 }],
  [
    "SELECT (temperature - 32) * 5 / 9 AS celsius, upper(color) as my_color FROM 'topic/subtopic'",
    COLOR,
    { celsius: 10, my_color: 'RED' },
  ],
  [
    `SELECT {"key-with-hyphen": color, "123-numeric-start": temperature} FROM 'topic/subtopic'`,
    COLOR,
    { 'key-with-hyphen': 'red', '123-numeric-start': 50 },
  ],
  ["SELECT value FROM 'a'", { value: 1 }, { value: 1 }],
  ["SELECT value, color FROM 'a'", { value: 1, color: 'red' }, { value: 1, color: 'red' }],
  ["SELECT value AS v, value * 2 AS twice FROM 'a'", { value: 4 }, { v: 4, twice: 8 }],
  ["SELECT value * 2 AS twice FROM 'a'", { value: 4 }, { twice: 8 }],
  ["SELECT value - 32 AS f, value -1 AS g FROM 'a'", { value: 40 }, { f: 8, g: 39 }],
  ["SELECT VALUE -value FROM 'a'", { value: 40 }, -40],
  ["SELECT value.unit FROM 'a'", { value: { unit: 'Cel' } }, { unit: 'Cel' }],
  ["SELECT VALUE value FROM 'a'", { value: 4 }, 4],
  ["SELECT VALUE * FROM 'a'", [1, 2], [1, 2]],
  ["SELECT * FROM 'a'", [1, 2], [1, 2]],
  ["SELECT * AS message FROM 'a'", COLOR, { message: COLOR }],
  [
    "SELECT state.reported.temp, topic(1), missing FROM 'a'",
    { state: { reported: { temp: 1 } } },
    { temp: 1, topic: 'things' },
  ],
  ["SELECT 'it''s' AS text FROM 'a'", {}, { text: "it's" }],
]);

statements('iot-sql-json', [
  ["SELECT foo.bar AS bar.baz FROM 'topic/subtopic'", { foo: { bar: 'RED' } }, { bar: { baz: 'RED' } }],
  ["SELECT *, 1 AS foo.added FROM 'a'", { foo: { bar: 2 } }, { foo: { bar: 2, added: 1 } }],
  [
    `SELECT * FROM 'iot/rules' WHERE get(get(get(mydata,"item2"),"0"),"my-key") = "myValue"`,
    { mydata: { item2: { '0': { 'my-key': 'myValue' } } } },
    { mydata: { item2: { '0': { 'my-key': 'myValue' } } } },
  ],
  [
    'SELECT temp, md5(deviceid) AS hashed_id FROM topic/#',
    { deviceid: 'iot123', temp: 54.98 },
    { temp: 54.98, hashed_id: 'e37f81fb397e595c4aeb5645b8cbbbd1' },
  ],
]);

statements('iot-sql-literals', [
  [
    "SELECT {'latitude': get(lat_long, 0),'longitude':get(lat_long, 1)} as lat_long FROM 'topic/subtopic'",
    { lat_long: [47.606, -122.332] },
    { lat_long: { latitude: 47.606, longitude: -122.332 } },
  ],
  ["SELECT [lat,long] as lat_long FROM 'a'", { lat: 47.696, long: -122.332 }, { lat_long: [47.696, -122.332] }],
]);

const TRAFFIC = `CASE color WHEN 'green' THEN 'go' WHEN 'yellow' THEN 'caution' WHEN 'red' THEN 'stop'`;

statements('iot-sql-case', [
  [`SELECT ${TRAFFIC} ELSE 'no light' END as instructions FROM 'a'`, { color: 'yellow' }, { instructions: 'caution' }],
  [`SELECT ${TRAFFIC} ELSE 'no light' END as instructions FROM 'a'`, { color: 'blue' }, { instructions: 'no light' }],
  [`SELECT ${TRAFFIC} END as instructions FROM 'a'`, { color: 'blue' }, {}],
  [`SELECT ${TRAFFIC} ELSE 'no light' END as instructions FROM 'a'`, {}, {}],
]);

const SENML = {
  e: [
    { n: 'temperature', u: 'Cel', t: 1234, v: 22.5 },
    { n: 'light', u: 'lm', t: 1235, v: 135 },
    { n: 'acidity', u: 'pH', t: 1235, v: 7 },
  ],
};

statements('iot-sql-nested-queries', [
  [
    "SELECT (SELECT VALUE n FROM e) as sensors FROM 'my/topic'",
    SENML,
    { sensors: ['temperature', 'light', 'acidity'] },
  ],
  [
    "SELECT (SELECT v FROM e WHERE n = 'temperature') as temperature FROM 'my/topic'",
    SENML,
    { temperature: [{ v: 22.5 }] },
  ],
  [
    "SELECT get((SELECT v FROM e WHERE n = 'temperature'), 0).v as temperature FROM 'topic'",
    SENML,
    { temperature: 22.5 },
  ],
  ["SELECT (SELECT * FROM numbers AS x WHERE x > 1) AS big FROM 'a'", { numbers: [1, 2, 3] }, { big: [2, 3] }],
  ["SELECT (SELECT x.v AS y FROM e AS x WHERE x.u = 'pH') AS r FROM 'a'", SENML, { r: [{ y: 7 }] }],
  [
    "SELECT (SELECT n, (SELECT VALUE i.v FROM items AS i WHERE i.v > o.least) AS above FROM outer AS o) AS r FROM 'a'",
    { outer: [{ n: 1, least: 1, items: [{ v: 1 }, { v: 2 }] }] },
    { r: [{ n: 1, above: [2] }] },
  ],
  ["SELECT (SELECT a FROM missing) AS r FROM 'a'", {}, {}],
  ["SELECT (SELECT *, 1 AS one FROM list) AS r FROM 'a'", { list: [{ a: 1 }] }, { r: [{ a: 1, one: 1 }] }],
]);

const FAHRENHEIT = { temp_fahrenheit: 77, humidity: 60 };

statements('iot-sql-set', [
  [
    "SET @temp_celsius = (temp_fahrenheit - 32) * 5 / 9\nSELECT @temp_celsius AS celsius, humidity FROM 'device/data'",
    FAHRENHEIT,
    { celsius: 25, humidity: 60 },
  ],
  [
    'SET @d = device1.deviceData.sensors SELECT @d.temp_fahrenheit AS t, @d.humidity, device1.deviceId as id FROM x',
    { device1: { deviceId: 'weather', deviceData: { sensors: FAHRENHEIT } } },
    { t: 77, humidity: 60, id: 'weather' },
  ],
  ["SET @a = 1, @b = @a + 1 SELECT @b AS b FROM 'x' WHERE @b > @a", {}, { b: 2 }],
  [
    "SET @least = 2 SELECT (SELECT VALUE x FROM list AS x WHERE x >= @least) AS r FROM 'x'",
    { list: [1, 2] },
    { r: [2] },
  ],
  [
    "SET @encoded_payload = encode(*, 'base64') SELECT @encoded_payload AS raw_data FROM 'device/binary'",
    Buffer.from([1, 2]),
    { raw_data: 'AQI=' },
  ],
  ["SET @list = values SELECT (SELECT VALUE a FROM @list) AS r FROM 'x'", { values: [{ a: 1 }] }, { r: [1] }],
]);

const BINARY = Buffer.from([0xff, 0x00, 0x7b]);

statements('binary-payloads', [
  ["SELECT * FROM 'topic/subtopic'", BINARY, BINARY],
  ["SELECT * FROM 'topic/subtopic' WHERE timestamp() % 5 = 0", BINARY, BINARY],
  ["SELECT *, 1 AS n FROM 'topic/subtopic'", BINARY, { payload: BINARY.toString('base64'), n: 1 }],
  ["SELECT *, 1 AS n FROM 'topic/subtopic'", '', { n: 1 }],
  ["SELECT *, device_type AS t FROM 'a'", BINARY, { payload: BINARY.toString('base64') }],
  [
    "SELECT encode(*, 'base64') AS data, timestamp() AS ts FROM 'topic/subtopic'",
    BINARY,
    { data: '/wB7', ts: 1481825251155 },
  ],
  ["SELECT decode(encode(*, 'base64'), 'base64') AS payload FROM 'topic'", 'text', { payload: 'text' }],
  [
    "SELECT decode(encode(*, 'base64'), 'base64') AS value FROM 'a' WHERE decode(encode(*, 'base64'), 'base64') > 50",
    '80',
    { value: 80 },
  ],
  ["SELECT * FROM 'a'", '80', Buffer.from('80')],
  ["SELECT topic(1) AS t FROM 'a'", BINARY, { t: 'things' }],
]);

describe('iot-sql-where', () => {
  it.each([
    ['temperature > 50 AND color <> "red"', { color: 'red', temperature: 40 }],
    ['missing = 1', {}],
    ['null', {}],
    ['1', {}],
    ['"true"', {}],
    ['alias = 1', { a: 1 }],
    ['device_type = "thermostat"', BINARY],
  ])('WHERE %s does not act', async (where, payload) => {
    expect(await evaluate(`SELECT *, 1 AS alias FROM 'a' WHERE ${where}`, payload)).toEqual({ kind: 'skipped' });
  });

  it('acts when the condition is true', async () => {
    expect(await select("SELECT a FROM 'x' WHERE a = 1", { a: 1 })).toEqual({ a: 1 });
  });
});

describe('metrics_dimensions#rulemetrics', () => {
  it('a payload that has to be JSON and is not is a parse error', async () => {
    for (const sql of ["SELECT a FROM 'x'", "SELECT 1 AS one FROM 'x' WHERE a = 1"]) {
      expect(await evaluate(sql, '{"a":')).toMatchObject({ kind: 'failed', cause: 'parse-error' });
    }
  });
});

describe('iot-sql-functions: external functions', () => {
  const role = 'arn:aws:iam::123456789012:role/r';

  it('are called with their arguments before the expression is evaluated', async () => {
    // GIVEN
    const calls: unknown[] = [];
    const sql = `SET @id = upper(id)
      SELECT get_dynamodb('Devices', 'id', @id, 'range', 1 + 1, '${role}').place AS place,
             aws_lambda('arn:function', {"a": id}).b AS b,
             aws_lambda('arn:function', *) AS whole
      FROM 'x' WHERE get_thing_shadow(id, 'named', '${role}').on = true`;

    // WHEN
    const outcome = await evaluate(sql, { id: 'x' }, {}, async (call) => {
      calls.push(call);
      return { place: 'here', b: 2, on: true };
    });

    // THEN
    expect(outcome).toMatchObject({ payload: { value: { place: 'here', b: 2 } } });
    expect(calls).toEqual([
      { name: 'get_thing_shadow', thingName: 'x', shadowName: 'named', roleArn: role },
      { name: 'get_dynamodb', table: 'Devices', key: { id: 'X', range: 2 }, roleArn: role },
      { name: 'aws_lambda', functionArn: 'arn:function', input: '{"a":"x"}' },
      { name: 'aws_lambda', functionArn: 'arn:function', input: '{"id":"x"}' },
    ]);
  });

  it('are not called when WHERE is not true', async () => {
    const outcome = await evaluate(`SELECT get_thing_shadow('t', '${role}') AS s FROM 'x' WHERE false`);

    expect(outcome).toEqual({ kind: 'skipped' });
  });

  it('end the rule when they fail, unless get_or_default catches it', async () => {
    const shadow = `get_thing_shadow('t', '${role}')`;

    const caught = await evaluate(
      `SELECT get_or_default(${shadow}.state, 'none') AS s, get_or_default(${shadow}) AS t`,
    );
    const failed = await evaluate(`SELECT ${shadow} AS s FROM 'x'`);

    expect(caught).toMatchObject({ payload: { value: { s: 'none' } } });
    expect(failed).toEqual({
      kind: 'failed',
      cause: 'external-function',
      message: 'get_thing_shadow failed: no external services',
    });
  });
});
