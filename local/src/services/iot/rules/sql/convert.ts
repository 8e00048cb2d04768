/**
 * The standard conversions, and the casts that differ from them
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-data-types.html#iot-sql-conversions). Each gives
 * undefined where AWS's table says Undefined; Null converts to no number and no text.
 */
import { toJsonText } from './json.ts';
import { finite, integerFrom, isInt, type SqlNumber } from './number.ts';
import type { SqlValue } from './sql-value.ts';

const DECIMAL = /^-?\d+(?:\.\d+)?(?:e-?\d+)?$/i;
const DIGITS = /^-?\d+$/;

export function toDecimal(value: SqlValue): SqlNumber | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  return typeof value === 'string' ? parseDecimal(value) : undefined;
}

/** A number of double precision, as the functions take it that compute with doubles. */
export function toDouble(value: SqlValue): number | undefined {
  if (typeof value === 'number') return value;
  const decimal = toDecimal(value);
  return decimal === undefined ? undefined : Number(decimal);
}

/** The table's conversion to Int: a Decimal is rounded to the nearest, a String is cut off. */
export function toNearestInt(value: SqlValue): SqlNumber | undefined {
  const decimal = toDecimal(value);
  if (decimal === undefined || isInt(decimal)) return decimal;
  return typeof value === 'string' ? finite(Math.trunc(Number(decimal))) : roundHalfAwayFromZero(Number(decimal));
}

/** The conversion of those functions whose own table says "rounded down". */
export function toLowerInt(value: SqlValue): SqlNumber | undefined {
  const decimal = toDecimal(value);
  return decimal === undefined || isInt(decimal) ? decimal : finite(Math.floor(Number(decimal)));
}

/** `round(-1.5)` is -2: halves go away from zero. */
export function roundHalfAwayFromZero(value: number): number | undefined {
  return finite(Math.sign(value) * Math.round(Math.abs(value)));
}

export function toBoolean(value: SqlValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' || value.length > 5) return undefined;
  const lower = value.toLowerCase();
  if (lower === 'true') return true;
  return lower === 'false' ? false : undefined;
}

export function toText(value: SqlValue): string | undefined {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'object' ? toJsonText(value) : String(value);
}

type Cast = (value: SqlValue) => SqlValue;

const castToText: Cast = toText;
const castToInt: Cast = (value) => (typeof value === 'boolean' ? Number(value) : toLowerInt(value));
const castToDecimal: Cast = (value) => (typeof value === 'boolean' ? Number(value) : toDecimal(value));
const castToDouble: Cast = (value) => (typeof value === 'boolean' ? Number(value) : toDouble(value));
const castToBoolean: Cast = (value) =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) !== 0 : toBoolean(value);

/** The keywords after AS in cast(), in lower case (iot-sql-functions.html#iot-sql-function-cast). */
export const CASTS: ReadonlyMap<string, Cast> = new Map([
  ['string', castToText],
  ['nvarchar', castToText],
  ['text', castToText],
  ['ntext', castToText],
  ['varchar', castToText],
  ['int', castToInt],
  ['integer', castToInt],
  ['double', castToDouble],
  ['decimal', castToDecimal],
  ['bool', castToBoolean],
  ['boolean', castToBoolean],
]);

/** A number as a statement writes it; undefined when it is too large. The caller has checked its form. */
export function parseNumber(text: string): SqlNumber | undefined {
  const value = Number(text);
  if (!Number.isSafeInteger(value) && DIGITS.test(text)) return integerFrom(BigInt(text));
  return finite(value);
}

function parseDecimal(text: string): SqlNumber | undefined {
  return DECIMAL.test(text) ? parseNumber(text) : undefined;
}

/** Exponents as Java writes them: 1E-7. */
function numberText(value: number): string {
  const text = String(value);
  return text.includes('e') ? text.toUpperCase() : text;
}
