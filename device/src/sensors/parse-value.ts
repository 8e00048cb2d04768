import { ReadingValue } from '@thingstead/contracts/telemetry';
import * as v from 'valibot';

/** How a text becomes a value; `scale` and `offset` are for numbers. */
export interface Conversion {
  readonly value: 'number' | 'boolean' | 'text';
  readonly scale: number;
  readonly offset: number;
}

/** More than this is no value. */
export const MAX_VALUE_BYTES = 4096;

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...(['true', '1'] as const).map((text) => [text, true] as const),
  ...(['false', '0'] as const).map((text) => [text, false] as const),
]);
/** A double holds 15 to 17 digits; the last ones of a product are noise that would go over the wire. */
const DIGITS = 12;

/**
 * The value that a text holds, white space around it aside. Nothing is guessed: of `12 V` no 12 is made, of an empty text
 * no 0.
 *
 * @throws Error that shows the text when it is not of the kind.
 */
export function parseValue(text: string, { value: kind, scale, offset }: Conversion): ReadingValue {
  const trimmed = text.trim();
  const value = convert(trimmed, kind, scale, offset);
  if (value === undefined || !v.is(ReadingValue, value)) throw new Error(`${show(trimmed)} is no ${kind}`);
  return value;
}

function convert(text: string, kind: Conversion['value'], scale: number, offset: number): ReadingValue | undefined {
  switch (kind) {
    case 'number':
      return DECIMAL.test(text) ? Number((Number(text) * scale + offset).toPrecision(DIGITS)) : undefined;
    case 'boolean':
      return BOOLEANS.get(text.toLowerCase());
    case 'text':
      // Control characters and what is not UTF-8 are no words for a person.
      return text === '' || /[\p{Cc}\uFFFD]/u.test(text) ? undefined : text;
  }
}

function show(text: string): string {
  return text === '' ? 'an empty text' : JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
