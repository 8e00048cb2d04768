/**
 * Values of IoT SQL (https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-data-types.html). JavaScript's
 * `undefined` is Undefined. An Int is a safe integer, or a bigint beyond 2^53; every other number is a Decimal.
 * Undefined never stands inside an array or object: it is left out, as AWS leaves it out of JSON.
 */
export type SqlValue = undefined | null | boolean | number | bigint | string | SqlArray | SqlObject;
export type SqlArray = readonly SqlValue[];
export interface SqlObject {
  readonly [key: string]: SqlValue;
}

export function isObject(value: SqlValue): value is SqlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isArray(value: SqlValue): value is SqlArray {
  return Array.isArray(value);
}

/** The member of an object; Undefined for every other value. */
export function member(value: SqlValue, name: string): SqlValue {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Adds a member to an object under construction; Undefined is left out. */
export function setMember(target: Record<string, SqlValue>, name: string, value: SqlValue): void {
  if (value === undefined) return;
  // Assigning to `__proto__` would set the prototype instead.
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
  else target[name] = value;
}

/** The same items without Undefined. */
export function arrayOf(items: readonly SqlValue[]): SqlArray {
  return items.includes(undefined) ? items.filter((each) => each !== undefined) : items;
}

/** Equality of two values of any type, without conversion; arrays in order, objects in any order. */
export function isSame(left: SqlValue, right: SqlValue): boolean {
  if (left === right) return true;
  if (typeof left === 'bigint' || typeof right === 'bigint') {
    const numbers = isNumeric(left) && isNumeric(right);
    return numbers && left >= right && left <= right;
  }
  if (isArray(left)) {
    return isArray(right) && left.length === right.length && left.every((each, at) => isSame(each, right[at]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key]))
  );
}

function isNumeric(value: SqlValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
