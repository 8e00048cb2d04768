import { fromLocal, isZone } from './zone.ts';

/** What a text has said about a time. */
export interface TimeFields {
  readonly year?: number;
  readonly beforeChrist?: boolean;
  readonly month?: number;
  readonly day?: number;
  readonly dayOfYear?: number;
  /** 1 is Monday. */
  readonly weekday?: number;
  readonly hour?: number;
  /** 1 to 24. */
  readonly clockHour?: number;
  /** 0 to 11. */
  readonly halfDayHour?: number;
  /** 1 to 12. */
  readonly halfDayClockHour?: number;
  readonly afternoon?: boolean;
  readonly minute?: number;
  readonly second?: number;
  readonly millisecond?: number;
  readonly zone?: string;
}

const HOUR = 3_600_000;

/**
 * Epoch milliseconds, UTC when no zone was given, midnight when no time was; undefined when there is no such day or
 * time. As the JDK does by default, a day after the end of its month is the last day of that month.
 */
export function resolveTime(fields: TimeFields): number | undefined {
  const date = resolveDate(fields);
  const hour = resolveHour(fields);
  const { minute = 0, second = 0, millisecond = 0, zone = 'UTC', weekday } = fields;
  if (date === undefined || hour === undefined || minute > 59 || second > 59 || !isZone(zone)) return undefined;
  if (weekday !== undefined && (new Date(date).getUTCDay() || 7) !== weekday) return undefined;
  return fromLocal(date + hour * HOUR + minute * 60_000 + second * 1000 + millisecond, zone);
}

function resolveDate({ year, beforeChrist, month, day, dayOfYear }: TimeFields): number | undefined {
  if (year === undefined) return undefined;
  const proleptic = beforeChrist ? 1 - year : year;
  if (dayOfYear !== undefined) {
    const date = new Date(0).setUTCFullYear(proleptic, 0, dayOfYear);
    return dayOfYear > 0 && new Date(date).getUTCFullYear() === proleptic ? date : undefined;
  }
  if (month === undefined || day === undefined) return undefined;
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const lastDay = new Date(new Date(0).setUTCFullYear(proleptic, month, 0)).getUTCDate();
  return new Date(0).setUTCFullYear(proleptic, month - 1, Math.min(day, lastDay));
}

function resolveHour(fields: TimeFields): number | undefined {
  const { hour, clockHour, halfDayHour, halfDayClockHour, afternoon } = fields;
  if (hour !== undefined) return hour <= 23 ? hour : undefined;
  if (clockHour !== undefined) return clockHour >= 1 && clockHour <= 24 ? clockHour % 24 : undefined;
  const half = halfDayHour ?? (halfDayClockHour === 12 ? 0 : halfDayClockHour);
  if (half === undefined) return 0;
  return half <= 11 && halfDayClockHour !== 0 && afternoon !== undefined ? half + (afternoon ? 12 : 0) : undefined;
}
