/** JSON in and out of the rules engine, with Ints beyond 2^53 kept exact. */
import { integerFrom } from './number.ts';
import type { SqlValue } from './sql-value.ts';

/** Sixteen digits in a row may be an integer that a double cannot hold. */
const LONG_INTEGER = /\d{16}/;
const INTEGER = /^-?\d+$/;

/** Reads JSON. Throws SyntaxError. */
export function parseJson(text: string): SqlValue {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text) as SqlValue;
  return JSON.parse(text, reviveInteger) as SqlValue;
}

/** The source text of a number is newer than TypeScript's types of JSON.parse. */
function reviveInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
  return INTEGER.test(source) ? integerFrom(BigInt(source)) : value;
}

/** Minified JSON; empty for Undefined, as AWS serializes it by itself. */
export function toJsonText(value: SqlValue): string {
  if (value === undefined) return '';
  return hasBigInt(value) ? JSON.stringify(value, rawBigInt) : JSON.stringify(value);
}

function hasBigInt(value: SqlValue): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasBigInt);
  for (const each of Object.values(value)) {
    if (typeof each === 'bigint' || (typeof each === 'object' && hasBigInt(each))) return true;
  }
  return false;
}

function rawBigInt(_key: string, value: unknown): unknown {
  // JSON.rawJSON is newer than TypeScript's types of JSON.
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  return typeof value === 'bigint' ? rawJSON(String(value)) : value;
}
