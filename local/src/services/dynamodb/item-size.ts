import { type AttributeValue, type Item, typeOf } from './attribute-value.ts';
import { significantDigits } from './decimal.ts';

/** 400 KB, attribute names included. */
export const MAX_ITEM_BYTES = 400 * 1024;

function numberBytes(text: string): number {
  return Math.ceil(significantDigits(text) / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}

function base64Bytes(text: string): number {
  return Buffer.byteLength(text, 'base64');
}

function sum<T>(values: readonly T[], bytes: (value: T) => number): number {
  let total = 0;
  for (const value of values) total += bytes(value);
  return total;
}

function valueBytes(value: AttributeValue): number {
  switch (typeOf(value)) {
    case 'S':
      return Buffer.byteLength(value.S ?? '', 'utf8');
    case 'N':
      return numberBytes(value.N ?? '0');
    case 'B':
      return base64Bytes(value.B ?? '');
    case 'SS':
      return sum(value.SS ?? [], (each) => Buffer.byteLength(each, 'utf8'));
    case 'NS':
      return sum(value.NS ?? [], numberBytes);
    case 'BS':
      return sum(value.BS ?? [], base64Bytes);
    case 'L':
      return 3 + sum(value.L ?? [], (each) => 1 + valueBytes(each));
    case 'M':
      return 3 + Object.keys(value.M ?? {}).length + itemBytes(value.M ?? {});
    default:
      return 1;
  }
}

/**
 * The size of an item in bytes, as the limit of 400 KB and capacity units count it ("DynamoDB item sizes and formats" in
 * the developer guide).
 */
export function itemBytes(item: Item): number {
  let total = 0;
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) total += Buffer.byteLength(name, 'utf8') + valueBytes(value);
  }
  return total;
}
