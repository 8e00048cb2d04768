/**
 * Attribute values as the API carries them in JSON: binary is base64 text, numbers are decimal text. Stored items are
 * never changed in place, so they are handed out without a copy.
 */
import { sortableNumber } from './decimal.ts';

export type AttributeType = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'SS' | 'NS' | 'BS' | 'L' | 'M';

/** Exactly one member is set. */
export interface AttributeValue {
  readonly S?: string;
  readonly N?: string;
  readonly B?: string;
  readonly BOOL?: boolean;
  readonly NULL?: boolean;
  readonly SS?: readonly string[];
  readonly NS?: readonly string[];
  readonly BS?: readonly string[];
  readonly L?: readonly AttributeValue[];
  readonly M?: Item;
}

export type Item = Readonly<Record<string, AttributeValue>>;

/** The one member that is set. */
export function typeOf(value: AttributeValue): AttributeType {
  // Validation has made sure that there is one, and that its name is a type.
  for (const type in value) return type as AttributeType;
  return 'NULL';
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is a character of the ASCII range that is meant.
const ASCII = /^[\u0000-\u007f]*$/;

/** Text whose order by code unit is the order of its UTF-8 bytes, which is how DynamoDB sorts strings. */
function sortableText(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** A text that sorts as DynamoDB sorts values of the same type; undefined for types without an order. */
export function sortable(value: AttributeValue): string | undefined {
  if (value.S !== undefined) return sortableText(value.S);
  if (value.N !== undefined) return sortableNumber(value.N);
  if (value.B !== undefined) return Buffer.from(value.B, 'base64').toString('latin1');
  return undefined;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}

/** Equal by value; sets regardless of order. Validation has brought numbers into one form. */
export function equals(a: AttributeValue, b: AttributeValue): boolean {
  if (a.S !== undefined) return a.S === b.S;
  if (a.N !== undefined) return a.N === b.N;
  if (a.B !== undefined) return a.B === b.B;
  if (a.BOOL !== undefined) return a.BOOL === b.BOOL;
  if (a.NULL !== undefined) return a.NULL === b.NULL;
  if (a.SS !== undefined) return b.SS !== undefined && sameSet(a.SS, b.SS);
  if (a.NS !== undefined) return b.NS !== undefined && sameSet(a.NS, b.NS);
  if (a.BS !== undefined) return b.BS !== undefined && sameSet(a.BS, b.BS);
  if (a.L !== undefined) return b.L !== undefined && sameList(a.L, b.L);
  return a.M !== undefined && b.M !== undefined && sameItem(a.M, b.M);
}

function sameList(a: readonly AttributeValue[], b: readonly AttributeValue[]): boolean {
  return (
    a.length === b.length &&
    a.every((each, index) => {
      const other = b[index];
      return other !== undefined && equals(each, other);
    })
  );
}

/** Whether two items have the same attributes with equal values. */
export function sameItem(a: Item, b: Item): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [mine, other] = [a[name], b[name]];
      return mine !== undefined && other !== undefined && equals(mine, other);
    })
  );
}
