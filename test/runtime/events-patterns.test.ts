/** Event patterns and schedules by table. */
import { compileEventPattern } from '../../local/src/services/events/event-pattern.ts';
import { parseSchedule } from '../../local/src/services/events/schedule.ts';

const event = {
  source: 'farm.north',
  detail: { count: 5, name: 'Berta', tags: ['a', 'b'], empty: null, sub: { x: 1 } },
};

describe('a pattern', () => {
  it.each([
    [{ source: ['farm.north'] }, true],
    [{ source: ['farm.south', 'farm.north'] }, true],
    [{ source: [{ prefix: 'farm.' }] }, true],
    [{ source: [{ suffix: '.south' }] }, false],
    [{ source: [{ 'anything-but': 'farm.north' }] }, false],
    [{ source: [{ 'anything-but': ['a', 'b'] }] }, true],
    [{ source: [{ 'anything-but': { prefix: 'farm' } }] }, false],
    [{ source: [{ 'equals-ignore-case': 'FARM.NORTH' }] }, true],
    [{ detail: { count: [5] } }, true],
    [{ detail: { count: ['5'] } }, false],
    [{ detail: { count: [{ numeric: ['>=', 5, '<', 6] }] } }, true],
    [{ detail: { name: [{ numeric: ['>', 1] }] } }, false],
    [{ detail: { tags: ['b', 'z'] } }, true],
    [{ detail: { empty: [null] } }, true],
    [{ detail: { missing: [{ exists: false }] } }, true],
    [{ detail: { count: [{ exists: false }] } }, false],
    [{ detail: { sub: { x: [1] }, count: [5] } }, true],
    [{ detail: { sub: { x: [1] }, count: [6] } }, false],
    [{ detail: { missing: { x: [1] } } }, false],
  ])('%j: %s', (pattern, expected) => {
    expect(compileEventPattern(JSON.stringify(pattern))(event)).toBe(expected);
  });

  it.each([['[]'], ['{"a":1}'], ['{"a":[]}'], ['{}'], ['{"a":[{"numeric":[">"]}]}'], ['{"a":[{"prefix":1}]}'], ['x']])(
    '%s is refused',
    (pattern) => {
      expect(() => compileEventPattern(pattern)).toThrow('Event pattern is not valid');
    },
  );
});

describe('a schedule', () => {
  const saturday = Date.parse('2026-11-21T10:17:30Z');

  it.each([
    ['rate(5 minutes)', '2026-11-21T10:22:30.000Z'],
    ['rate(1 day)', '2026-11-22T10:17:30.000Z'],
    ['cron(* * * * ? *)', '2026-11-21T10:18:00.000Z'],
    ['cron(0/15 * * * ? *)', '2026-11-21T10:30:00.000Z'],
    ['cron(0 9 * * ? *)', '2026-11-22T09:00:00.000Z'],
    ['cron(15 10 ? * MON-FRI *)', '2026-11-23T10:15:00.000Z'],
    ['cron(15 10 ? * 7 *)', '2026-11-28T10:15:00.000Z'],
    ['cron(0 0 1 1,JUL ? *)', '2027-01-01T00:00:00.000Z'],
    ['cron(0 0 29 2 ? *)', '2028-02-29T00:00:00.000Z'],
    ['cron(0 0 31 4 ? *)', undefined],
    ['cron(0 0 1 1 ? 2020)', undefined],
  ])('%s comes next at %s', (expression, expected) => {
    const next = parseSchedule(expression)(saturday);

    expect(next === undefined ? undefined : new Date(next).toISOString()).toBe(expected);
  });

  it.each(['cron(0 0 L * ? *)', 'cron(0 0 ? * 6#3 *)', 'cron(0 0 15W * ? *)'])(
    '%s is refused by name',
    (expression) => {
      expect(() => parseSchedule(expression)).toThrow(/does not emulate/);
    },
  );
});
