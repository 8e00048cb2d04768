/** Values of IoT SQL as attribute values of DynamoDB, in the JSON form of its wire. */

import { integerFrom } from '../sql/number.ts';
import type { SqlObject, SqlValue } from '../sql/sql-value.ts';
import { setMember } from '../sql/sql-value.ts';

export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  /** Base64. */
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Readonly<Record<string, AttributeValue>> }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Undefined does not occur inside values, and is not written. */
export function toAttributes(value: SqlObject): Attributes {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toAttribute(each)]));
}

export function toAttribute(value: SqlValue): AttributeValue {
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
    case 'bigint':
      return { N: String(value) };
    case 'boolean':
      return { BOOL: value };
    default:
      if (value === null || value === undefined) return { NULL: true };
      return Array.isArray(value) ? { L: value.map(toAttribute) } : { M: toAttributes(value as SqlObject) };
  }
}

/** The other way round, for get_dynamodb; sets become arrays, binary stays base64. */
export function fromAttributes(attributes: Attributes): SqlObject {
  const value: Record<string, SqlValue> = {};
  for (const [name, attribute] of Object.entries(attributes)) setMember(value, name, fromAttribute(attribute));
  return value;
}

function fromAttribute(attribute: AttributeValue): SqlValue {
  if ('S' in attribute) return attribute.S;
  if ('N' in attribute) return toNumber(attribute.N);
  if ('B' in attribute) return attribute.B;
  if ('BOOL' in attribute) return attribute.BOOL;
  if ('NULL' in attribute) return null;
  if ('L' in attribute) return attribute.L.map(fromAttribute);
  if ('M' in attribute) return fromAttributes(attribute.M);
  if ('SS' in attribute) return attribute.SS;
  if ('NS' in attribute) return attribute.NS.map(toNumber);
  return attribute.BS;
}

function toNumber(text: string): SqlValue {
  const value = Number(text);
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? integerFrom(BigInt(text)) : value;
}
