/**
 * Reads times by patterns of the JDK's DateTimeFormatter
 * (https://docs.oracle.com/en/java/javase/11/docs/api/java.base/java/time/format/DateTimeFormatter.html), without the
 * letters of weeks and quarters.
 */
import { MONTHS, SHORT, WEEKDAYS } from './names.ts';
import { type PatternPart, parsePattern, TimePatternError, unsupportedLetter } from './pattern-letters.ts';
import { resolveTime, type TimeFields } from './resolve-time.ts';

/** Epoch milliseconds; undefined when the text does not fit the pattern. */
export type ParseTime = (text: string) => number | undefined;

interface Field {
  /** One capturing group. */
  readonly pattern: string;
  readonly read: (text: string) => TimeFields;
}

const OPTIONAL = /[[\]]/g;
const RESERVED = /[{}#]/;
const MAX_FRACTION_DIGITS = 9;

/** Throws TimePatternError for a letter that is not supported. */
export function compileTimeParser(pattern: string): ParseTime {
  const readers: Field['read'][] = [];
  const expression = parsePattern(pattern)
    .map((part) => {
      if ('text' in part) return literal(part, pattern);
      const { pattern: group, read } = field(part.letter, part.count);
      readers.push(read);
      return `(${group})`;
    })
    .join('');
  const compiled = toExpression(expression, pattern);
  return (text) => {
    const match = compiled.exec(text);
    if (!match) return undefined;
    const fields: TimeFields = {};
    for (const [index, read] of readers.entries()) {
      const found = match[index + 1];
      if (found !== undefined) Object.assign(fields, read(found));
    }
    return resolveTime(fields);
  };
}

/** Brackets outside quotes make a section optional; quoted text has lost its quotes, and brackets in it are rare. */
function literal({ text }: Extract<PatternPart, { readonly text: string }>, pattern: string): string {
  if (RESERVED.test(text)) throw new TimePatternError(`the pattern "${pattern}" has a character that Java reserves`);
  const escaped = text.replaceAll(/[.*+?^$()|\\/]/g, '\\$&');
  return escaped.replaceAll(OPTIONAL, (bracket) => (bracket === '[' ? '(?:' : ')?'));
}

function toExpression(expression: string, pattern: string): RegExp {
  try {
    return new RegExp(`^${expression}$`);
  } catch (cause) {
    throw new TimePatternError(`the pattern "${pattern}" has a bracket that is not closed`, { cause });
  }
}

function field(letter: string, count: number): Field {
  switch (letter) {
    case 'u':
    case 'y':
      return year(count);
    case 'M':
    case 'L':
      if (count < SHORT) return digits(letter, count, 'month');
      return name(letter, count, MONTHS, 'month');
    case 'd':
      return digits(letter, count, 'day');
    case 'D':
      if (count > 3) throw unsupportedLetter(letter, count);
      return { pattern: `\\d{${count},3}`, read: numeric('dayOfYear') };
    case 'E':
      return name(letter, count, WEEKDAYS, 'weekday');
    case 'G':
      if (count > SHORT) throw unsupportedLetter(letter, count);
      return { pattern: 'AD|BC', read: (text) => ({ beforeChrist: text === 'BC' }) };
    case 'a':
      if (count > 1) throw unsupportedLetter(letter, count);
      return { pattern: 'AM|PM', read: (text) => ({ afternoon: text === 'PM' }) };
    case 'H':
      return digits(letter, count, 'hour');
    case 'k':
      return digits(letter, count, 'clockHour');
    case 'K':
      return digits(letter, count, 'halfDayHour');
    case 'h':
      return digits(letter, count, 'halfDayClockHour');
    case 'm':
      return digits(letter, count, 'minute');
    case 's':
      return digits(letter, count, 'second');
    case 'S':
      if (count > MAX_FRACTION_DIGITS) throw unsupportedLetter(letter, count);
      return {
        pattern: `\\d{${count}}`,
        read: (text) => ({ millisecond: Number(text.padEnd(3, '0').slice(0, 3)) }),
      };
    default:
      return zone(letter, count);
  }
}

function year(count: number): Field {
  if (count === 2) return { pattern: '\\d{2}', read: (text) => ({ year: 2000 + Number(text) }) };
  const plain = count < 4 ? `-?\\d{${count},9}` : `-?\\d{${count}}|\\+\\d{${count + 1},9}`;
  return { pattern: plain, read: numeric('year') };
}

type NumericField = Exclude<keyof TimeFields, 'beforeChrist' | 'afternoon' | 'zone'>;

function numeric(target: NumericField): Field['read'] {
  return (text) => ({ [target]: Number(text) });
}

function digits(letter: string, count: number, target: NumericField): Field {
  if (count > 2) throw unsupportedLetter(letter, count);
  return { pattern: count === 2 ? '\\d{2}' : '\\d{1,2}', read: numeric(target) };
}

function name(letter: string, count: number, names: readonly string[], target: NumericField): Field {
  if (count > 4) throw unsupportedLetter(letter, count);
  const known = count === 4 ? names : names.map((each) => each.slice(0, SHORT));
  return { pattern: known.join('|'), read: (text) => ({ [target]: known.indexOf(text) + 1 }) };
}

function zone(letter: string, count: number): Field {
  const pattern = zonePattern(letter, count);
  if (pattern === undefined) throw unsupportedLetter(letter, count);
  return { pattern, read: (text) => ({ zone: text }) };
}

function zonePattern(letter: string, count: number): string | undefined {
  const offset = ['', '[+-]\\d\\d(?:\\d\\d)?', '[+-]\\d{4}', '[+-]\\d\\d:\\d\\d'][count];
  switch (letter) {
    case 'V':
      return count === 2 ? '[A-Za-z+-][A-Za-z0-9_+:/-]*' : undefined;
    case 'z':
      return count <= 4 ? '[A-Za-z+-][A-Za-z0-9_+:/-]*' : undefined;
    case 'O':
      return count === 1 ? 'GMT(?:[+-]\\d{1,2}(?::\\d\\d)?)?' : count === 4 ? 'GMT(?:[+-]\\d\\d:\\d\\d)?' : undefined;
    case 'X':
      return offset ? `${offset}|Z` : undefined;
    case 'x':
      return offset || undefined;
    case 'Z':
      if (count === 5) return '[+-]\\d\\d:\\d\\d|Z';
      return count <= 3 ? '[+-]\\d{4}' : undefined;
    default:
      return undefined;
  }
}
