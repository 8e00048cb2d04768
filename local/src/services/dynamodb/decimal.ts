/** DynamoDB's numbers: up to 38 significant digits, never binary floating point. Input is plain decimal text. */
import { invalid } from '../../kernel/errors.ts';

const MAX_DIGITS = 38;
const MAX_EXPONENT = 125;
const BIAS = 500;

interface Decimal {
  readonly negative: boolean;
  /** Significant digits, without zeros at either end; empty for zero. */
  readonly digits: string;
  /** The value is 0.digits times ten to this power. */
  readonly exponent: number;
}

function parse(text: string): Decimal {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  const all = whole + fraction;
  const leading = all.length - all.replace(/^0+/, '').length;
  return { negative, digits: all.replace(/^0+/, '').replace(/0+$/, ''), exponent: whole.length - leading };
}

/** A text of which the order by character is the order of the numbers. */
export function sortableNumber(text: string): string {
  const { negative, digits, exponent } = parse(text);
  if (digits === '') return '1';
  const biased = BIAS + exponent;
  if (!negative) return `2${String(biased).padStart(3, '0')}${digits}`;
  const complement = Array.from(digits, (digit) => 9 - Number(digit)).join('');
  // The colon sorts after every digit: of two negative numbers the one with more digits is the smaller.
  return `0${String(999 - biased).padStart(3, '0')}${complement}:`;
}

function scaled(text: string, fractionDigits: number): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(fractionDigits, '0'));
}

/**
 * `a + b`, or `a - b`, exactly.
 *
 * @throws AwsError ValidationException when the result needs more than 38 digits or is beyond 9.9E125
 */
export function addNumbers(a: string, b: string, sign: 1 | -1 = 1): string {
  const places = Math.max(a.split('.')[1]?.length ?? 0, b.split('.')[1]?.length ?? 0);
  const sum = scaled(a, places) + BigInt(sign) * scaled(b, places);
  const text = (sum < 0n ? -sum : sum).toString().padStart(places + 1, '0');
  const whole = text.slice(0, text.length - places);
  const fraction = text.slice(text.length - places).replace(/0+$/, '');
  const result = `${sum < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
  const { digits, exponent } = parse(result);
  if (digits.length > MAX_DIGITS) throw invalid('Attempting to store more than 38 significant digits in a Number');
  if (exponent - 1 > MAX_EXPONENT) {
    throw invalid('Number overflow. Attempting to store a number with magnitude larger than supported range');
  }
  return result;
}

/** How many significant digits a number has: what its size is counted by. */
export function significantDigits(text: string): number {
  return parse(text).digits.length;
}
