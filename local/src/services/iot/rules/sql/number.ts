/**
 * Arithmetic of IoT SQL. AWS computes with 34 decimal digits; here Ints are exact up to 34 digits, sums, products and
 * remainders of Decimals are exact as long as they fit 15 digits, and the rest has the precision of a double.
 */

/** The greatest magnitude of an Int, which has at most 34 digits. */
const MAX_INT = 10n ** 34n;
/** Powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

export type SqlNumber = number | bigint;
type IntegerArithmetic = (a: bigint, b: bigint) => bigint;
type FloatArithmetic = (a: number, b: number) => number;

export function isInt(value: SqlNumber): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/** A bigint as a value: a number where that is exact, a Decimal beyond 34 digits. */
export function integerFrom(value: bigint): SqlNumber {
  if (value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER) return Number(value);
  return value < MAX_INT && value > -MAX_INT ? value : Number(value);
}

/** A result as a value: Undefined when there is none (NaN, infinite), and no negative zero. */
export function finite(value: number): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  return value === 0 ? 0 : value;
}

export function add(a: SqlNumber, b: SqlNumber): SqlNumber | undefined {
  return compute(a, b, addIntegers, addFloats, Math.max);
}

export function subtract(a: SqlNumber, b: SqlNumber): SqlNumber | undefined {
  return compute(a, b, subtractIntegers, subtractFloats, Math.max);
}

export function multiply(a: SqlNumber, b: SqlNumber): SqlNumber | undefined {
  return compute(a, b, multiplyIntegers, multiplyFloats, undefined);
}

/** The remainder has the sign of the dividend. Undefined for a divisor of zero. */
export function remainder(a: SqlNumber, b: SqlNumber): SqlNumber | undefined {
  if (Number(b) === 0) return undefined;
  return compute(a, b, remainIntegers, remainFloats, Math.max);
}

/**
 * The quotient; Undefined for a divisor of zero. The table of operators says that Int / Int is an Int
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-operators.html#iot-sql-operators-div), the page of SET
 * shows a fraction: the table is followed, and the fraction cut off.
 */
export function divide(a: SqlNumber, b: SqlNumber): SqlNumber | undefined {
  if (Number(b) === 0) return undefined;
  if (!isInt(a) || !isInt(b)) return finite(Number(a) / Number(b));
  if (typeof a === 'number' && typeof b === 'number') return finite(Math.trunc(a / b));
  return integerFrom(BigInt(a) / BigInt(b));
}

/** How many digits a number has behind the point when it is written out. */
export function fractionDigits(value: number): number {
  const text = String(value);
  const exponentAt = text.indexOf('e');
  const pointAt = text.indexOf('.');
  const mantissaEnd = exponentAt < 0 ? text.length : exponentAt;
  const digits = pointAt < 0 ? 0 : mantissaEnd - pointAt - 1;
  return exponentAt < 0 ? digits : Math.max(0, digits - Number(text.slice(exponentAt + 1)));
}

const addIntegers: IntegerArithmetic = (a, b) => a + b;
const addFloats: FloatArithmetic = (a, b) => a + b;
const subtractIntegers: IntegerArithmetic = (a, b) => a - b;
const subtractFloats: FloatArithmetic = (a, b) => a - b;
const multiplyIntegers: IntegerArithmetic = (a, b) => a * b;
const multiplyFloats: FloatArithmetic = (a, b) => a * b;
const remainIntegers: IntegerArithmetic = (a, b) => a % b;
const remainFloats: FloatArithmetic = (a, b) => a % b;

/** `commonScale` brings both operands to the same number of fraction digits; without it the digits add up. */
function compute(
  a: SqlNumber,
  b: SqlNumber,
  integers: IntegerArithmetic,
  floats: FloatArithmetic,
  commonScale: ((a: number, b: number) => number) | undefined,
): SqlNumber | undefined {
  if (typeof a === 'number' && typeof b === 'number') {
    const result = floats(a, b);
    if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) return decimal(a, b, result, floats, commonScale);
    if (Number.isSafeInteger(result)) return result === 0 ? 0 : result;
  }
  if (!isInt(a) || !isInt(b)) return finite(floats(Number(a), Number(b)));
  return integerFrom(integers(BigInt(a), BigInt(b)));
}

/** Computes with the operands as scaled integers, so that 0.1 + 0.2 is 0.3; `rough` where they are too long for that. */
function decimal(
  a: number,
  b: number,
  rough: number,
  floats: FloatArithmetic,
  commonScale: ((a: number, b: number) => number) | undefined,
): number | undefined {
  const digitsOfA = fractionDigits(a);
  const digitsOfB = fractionDigits(b);
  const common = commonScale?.(digitsOfA, digitsOfB);
  const scaleA = POWERS_OF_TEN[common ?? digitsOfA];
  const scaleB = POWERS_OF_TEN[common ?? digitsOfB];
  const scale = POWERS_OF_TEN[common ?? digitsOfA + digitsOfB];
  if (scaleA === undefined || scaleB === undefined || scale === undefined) return finite(rough);
  const scaledA = Math.round(a * scaleA);
  const scaledB = Math.round(b * scaleB);
  const scaled = floats(scaledA, scaledB);
  const exact = Number.isSafeInteger(scaledA) && Number.isSafeInteger(scaledB) && Number.isSafeInteger(scaled);
  return finite(exact ? scaled / scale : rough);
}
