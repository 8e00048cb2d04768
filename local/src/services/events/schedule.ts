/** Schedule expressions, in UTC: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html */
import { invalid } from '../../kernel/errors.ts';

/** The next time after `after` (epoch milliseconds); undefined when there is none. */
export type Schedule = (after: number) => number | undefined;

const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const LAST_YEAR = 2199;

/**
 * Reads `rate(5 minutes)` or `cron(0 12 * * ? *)`.
 *
 * @throws AwsError ValidationException; NotEmulated for the cron letters L, W and #
 */
export function parseSchedule(expression: string): Schedule {
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate) {
    const [, amount = '', unit = '', plural] = rate;
    const count = Number(amount);
    if (count < 1 || (count === 1) !== (plural === '')) throw wrong(expression);
    const interval = count * (UNITS[unit] ?? 0);
    return (after) => after + interval;
  }
  const cron = /^cron\((.*)\)$/.exec(expression);
  const fields = cron?.[1]?.trim().split(/\s+/) ?? [];
  if (fields.length !== 6) throw wrong(expression);
  return parseCron(fields, expression);
}

function parseCron(fields: readonly string[], expression: string): Schedule {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) throw wrong(expression);
  const minutes = parseField(minute, 0, 59, [], expression);
  const hours = parseField(hour, 0, 23, [], expression);
  const daysOfMonth = dayOfMonth === '?' ? undefined : parseField(dayOfMonth, 1, 31, [], expression);
  const months = parseField(month, 1, 12, MONTHS, expression);
  const daysOfWeek = dayOfWeek === '?' ? undefined : parseField(dayOfWeek, 1, 7, DAYS, expression);
  const years = parseField(year, 1970, LAST_YEAR, [], expression);
  const isDay = (date: Date) =>
    years.has(date.getUTCFullYear()) &&
    months.has(date.getUTCMonth() + 1) &&
    (daysOfMonth?.has(date.getUTCDate()) ?? true) &&
    (daysOfWeek?.has(date.getUTCDay() + 1) ?? true);
  return (after) => {
    const first = Math.floor(after / 60_000) * 60_000 + 60_000;
    const firstDay = Math.floor(first / 86_400_000) * 86_400_000;
    for (let day = firstDay; new Date(day).getUTCFullYear() <= LAST_YEAR; day += 86_400_000) {
      if (!isDay(new Date(day))) continue;
      for (const each of hours) {
        for (const at of minutes) {
          const time = day + each * 3_600_000 + at * 60_000;
          if (time >= first) return time;
        }
      }
    }
    return undefined;
  };
}

/** The values that a field stands for, ascending. */
function parseField(
  field: string,
  min: number,
  max: number,
  names: readonly string[],
  expression: string,
): ReadonlySet<number> {
  const number = (text: string): number => {
    const named = names.indexOf(text.toUpperCase());
    const value = named >= 0 ? named + 1 : /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw wrong(expression);
    return value;
  };
  const values = new Set<number>();
  for (const part of field.split(',')) {
    if (/^(L|\d*W|LW|\w+#\d|\w+L)$/i.test(part) && names.indexOf(part.toUpperCase()) < 0) {
      throw invalid(`The local runtime does not emulate ${part} in ${expression}.`, 'NotEmulated');
    }
    const [range = '', step = '1'] = part.split('/');
    const [from = '', to] = range.split('-');
    const start = from === '*' ? min : number(from);
    const end = to !== undefined ? number(to) : from === '*' || part.includes('/') ? max : start;
    const stride = Number(step);
    if (!Number.isInteger(stride) || stride < 1) throw wrong(expression);
    for (let value = start; value <= end; value += stride) values.add(value);
  }
  return new Set([...values].toSorted((a, b) => a - b));
}

function wrong(expression: string): Error {
  return invalid(
    `Parameter ScheduleExpression is not valid: ${expression}. Write rate(5 minutes), rate(1 hour) or cron(0 12 * * ? *).`,
  );
}
