/** Numeric functions; each table of iot-sql-functions.html makes an argument that is no number Undefined. */
import { roundHalfAwayFromZero, toDecimal, toDouble, toLowerInt } from '../convert.ts';
import { finite, fractionDigits, integerFrom, isInt, type SqlNumber, subtract } from '../number.ts';
import { modulo } from '../operators.ts';
import type { SqlValue } from '../sql-value.ts';
import { argument, binary, type SqlFunction, type SqlFunctions, unary } from './sql-function.ts';

/** https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html#iot-func-trunc */
const MAX_PLACES = 34;
/** From here on a double is written with an exponent, and has no fraction. */
const NO_FRACTION = 1e21;
const MAX_TO_FIXED = 100;

export const mathFunctions: SqlFunctions = {
  abs: unary((value) => {
    const number = toDecimal(value);
    return number !== undefined && number < 0 ? subtract(0, number) : number;
  }),
  ceil: toInt(Math.ceil),
  floor: toInt(Math.floor),
  round: toInt(roundHalfAwayFromZero),
  sign: unary((value) => {
    const number = toDouble(value);
    return number === undefined ? undefined : finite(Math.sign(number));
  }),
  trunc: binary((value, places) => {
    const number = toDecimal(value);
    const digits = typeof places === 'string' ? undefined : toLowerInt(places);
    return number === undefined || digits === undefined ? undefined : truncate(number, digits);
  }),
  mod: binary(modulo),
  remainder: binary(modulo),
  power: ofDoubles(Math.pow),
  atan2: ofDoubles(Math.atan2),
  sqrt: ofDouble(Math.sqrt),
  exp: ofDouble(Math.exp),
  ln: ofDouble(Math.log),
  log: ofDouble(Math.log10),
  sin: ofDouble(Math.sin),
  cos: ofDouble(Math.cos),
  tan: ofDouble(Math.tan),
  asin: ofDouble(Math.asin),
  acos: ofDouble(Math.acos),
  atan: ofDouble(Math.atan),
  sinh: ofDouble(Math.sinh),
  cosh: ofDouble(Math.cosh),
  tanh: ofDouble(Math.tanh),
  rand: { arity: [0, 0], compile: () => Math.random },
  bitand: ofBits((a, b) => a & b),
  bitor: ofBits((a, b) => a | b),
  bitxor: ofBits((a, b) => a ^ b),
  bitnot: unary((value) => {
    const number = toLowerInt(value);
    return number === undefined || !isInt(number) ? undefined : integerFrom(bitNot(BigInt(number)));
  }),
};

/** AWS's example is bitnot(13) = 2: the complement within the bits that the number has, not of an unlimited one. */
function bitNot(value: bigint): bigint {
  return value < 0n ? ~value : value ^ ((1n << BigInt(value.toString(2).length)) - 1n);
}

function toInt(round: (value: number) => number | undefined): SqlFunction {
  return unary((value) => {
    const number = toDecimal(value);
    if (number === undefined || isInt(number)) return number;
    const rounded = round(Number(number));
    return rounded === undefined ? undefined : finite(rounded);
  });
}

/** Imaginary and infinite results are Undefined. */
function ofDouble(compute: (value: number) => number): SqlFunction {
  return unary((value) => {
    const number = toDouble(value);
    return number === undefined ? undefined : finite(compute(number));
  });
}

function ofDoubles(compute: (first: number, second: number) => number): SqlFunction {
  return binary((first, second) => {
    const a = toDouble(first);
    const b = toDouble(second);
    return a === undefined || b === undefined ? undefined : finite(compute(a, b));
  });
}

function ofBits(compute: (a: bigint, b: bigint) => bigint): SqlFunction {
  return {
    arity: [2, 2],
    compile(args) {
      const first = argument(args, 0);
      const second = argument(args, 1);
      return (scope) => {
        const a = toLowerInt(first(scope));
        const b = toLowerInt(second(scope));
        if (a === undefined || b === undefined || !isInt(a) || !isInt(b)) return undefined;
        return integerFrom(compute(BigInt(a), BigInt(b)));
      };
    },
  };
}

/** Cuts digits off the number as it is written: trunc(2.888, 2) is 2.88, whatever the double nearest to it is. */
function truncate(number: SqlNumber, places: SqlNumber): SqlValue {
  if (isInt(number)) return number;
  const value = Number(number);
  const kept = Math.min(Math.max(Number(places), 0), MAX_PLACES);
  const digits = fractionDigits(value);
  if (digits <= kept || digits > MAX_TO_FIXED || Math.abs(value) >= NO_FRACTION) return value;
  const text = value.toFixed(digits);
  return finite(Number(text.slice(0, text.length - (digits - kept))));
}
