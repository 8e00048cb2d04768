/** Writes times by patterns of Joda-Time (https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html). */
import { MONTHS, SHORT, WEEKDAYS } from './names.ts';
import { parsePattern, unsupportedLetter } from './pattern-letters.ts';
import { offsetAt, offsetText, zoneName } from './zone.ts';

/** Writes an instant, epoch milliseconds, as a zone's clocks show it. */
export type WriteTime = (millis: number, zone: string) => string;

interface Moment {
  readonly millis: number;
  readonly zone: string;
  readonly offset: number;
  /** The local time, in the fields of UTC. */
  readonly local: Date;
}

type WritePart = (moment: Moment) => string;

const DAY = 86_400_000;

/** Throws TimePatternError for a letter that Joda-Time does not have. */
export function compileTimeFormat(pattern: string): WriteTime {
  const parts = parsePattern(pattern).map((part): WritePart => {
    if ('text' in part) return () => part.text;
    return writer(part.letter, part.count);
  });
  return (millis, zone) => {
    const offset = offsetAt(zone, millis);
    const moment = { millis, zone, offset, local: new Date(millis + offset) };
    return parts.map((write) => write(moment)).join('');
  };
}

function writer(letter: string, count: number): WritePart {
  const number = (read: (moment: Moment) => number): WritePart => {
    return (moment) => padded(read(moment), count);
  };
  const year = (read: (moment: Moment) => number): WritePart => {
    return count === 2 ? (moment) => padded(Math.abs(read(moment)) % 100, 2) : number(read);
  };
  switch (letter) {
    case 'G':
      return ({ local }) => (local.getUTCFullYear() > 0 ? 'AD' : 'BC');
    case 'C':
      return number(({ local }) => Math.floor(yearOfEra(local) / 100));
    case 'Y':
      return year(({ local }) => yearOfEra(local));
    case 'y':
      return year(({ local }) => local.getUTCFullYear());
    case 'x':
      return year(({ local }) => isoWeek(local).year);
    case 'w':
      return number(({ local }) => isoWeek(local).week);
    case 'e':
      return number(({ local }) => isoWeekday(local));
    case 'E':
      return ({ local }) => text(WEEKDAYS[isoWeekday(local) - 1], count);
    case 'D':
      return number(({ local }) => dayOfYear(local));
    case 'M':
      if (count >= SHORT) return ({ local }) => text(MONTHS[local.getUTCMonth()], count);
      return number(({ local }) => local.getUTCMonth() + 1);
    case 'd':
      return number(({ local }) => local.getUTCDate());
    case 'a':
      return ({ local }) => (local.getUTCHours() < 12 ? 'AM' : 'PM');
    case 'K':
      return number(({ local }) => local.getUTCHours() % 12);
    case 'h':
      return number(({ local }) => local.getUTCHours() % 12 || 12);
    case 'H':
      return number(({ local }) => local.getUTCHours());
    case 'k':
      return number(({ local }) => local.getUTCHours() || 24);
    case 'm':
      return number(({ local }) => local.getUTCMinutes());
    case 's':
      return number(({ local }) => local.getUTCSeconds());
    case 'S':
      return ({ local }) => padded(local.getUTCMilliseconds(), 3).padEnd(count, '0').slice(0, count);
    case 'z':
      return ({ zone, millis }) => zoneName(zone, millis, count > SHORT ? 'long' : 'short');
    case 'Z':
      if (count > 2) return ({ zone }) => zone;
      return ({ offset }) => offsetText(offset, count === 2 ? ':' : '');
    default:
      throw unsupportedLetter(letter, count);
  }
}

function padded(value: number, digits: number): string {
  return `${value < 0 ? '-' : ''}${String(Math.abs(value)).padStart(digits, '0')}`;
}

function text(name = '', count: number): string {
  return count > SHORT ? name : name.slice(0, SHORT);
}

/** There is no year 0: 1 BC comes before 1 AD. */
function yearOfEra(local: Date): number {
  const year = local.getUTCFullYear();
  return year > 0 ? year : 1 - year;
}

function isoWeekday(local: Date): number {
  return local.getUTCDay() || 7;
}

function dayOfYear(local: Date): number {
  return Math.floor((local.getTime() - startOfYear(local.getUTCFullYear())) / DAY) + 1;
}

/** The week belongs to the year of its Thursday. */
function isoWeek(local: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(local.getTime() + (4 - isoWeekday(local)) * DAY);
  return { year: thursday.getUTCFullYear(), week: Math.ceil(dayOfYear(thursday) / 7) };
}

function startOfYear(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1);
}
