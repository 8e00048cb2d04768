/** The operators, each as the tables of iot-sql-operators.html say; `undefined` is Undefined. */
import { toBoolean, toDecimal, toText } from './convert.ts';
import { add, divide, multiply, remainder, type SqlNumber, subtract } from './number.ts';
import { isArray, isSame, type SqlValue } from './sql-value.ts';
import type { BinaryOperator } from './syntax-tree.ts';

type Operate = (left: SqlValue, right: SqlValue) => SqlValue;

/** Different types are unequal. Null = Null is not in the table; it is true, as Null <> Null is false there. */
export function equal(left: SqlValue, right: SqlValue): boolean | undefined {
  return left === undefined || right === undefined ? undefined : isSame(left, right);
}

export function logicalNot(operand: SqlValue): SqlValue {
  const value = toBoolean(operand);
  return value === undefined ? undefined : !value;
}

export function minus(operand: SqlValue): SqlValue {
  const value = toDecimal(operand);
  return value === undefined ? undefined : subtract(0, value);
}

/** A remainder, as `%`, mod() and remainder() give it. */
export const modulo: Operate = arithmetic(remainder);

export const BINARY: Readonly<Record<BinaryOperator, Operate>> = {
  and: logical((left, right) => left && right),
  or: logical((left, right) => left || right),
  '=': equal,
  '<>': (left, right) => {
    const same = equal(left, right);
    return same === undefined ? undefined : !same;
  },
  '<': comparison((left, right) => left < right),
  '<=': comparison((left, right) => left <= right),
  '>': comparison((left, right) => left > right),
  '>=': comparison((left, right) => left >= right),
  in: (left, right) => {
    if (left === undefined || !isArray(right)) return undefined;
    return right.some((each) => isSame(left, each));
  },
  '+': (left, right) => {
    if (typeof left === 'number' && typeof right === 'number') return add(left, right);
    if (typeof left === 'string' || typeof right === 'string') return concatenate(left, right);
    return sum(left, right);
  },
  '-': arithmetic(subtract),
  '*': arithmetic(multiply),
  '/': arithmetic(divide),
  '%': modulo,
};

const sum = arithmetic(add);

function concatenate(left: SqlValue, right: SqlValue): SqlValue {
  const first = toText(left);
  const second = toText(right);
  return first === undefined || second === undefined ? undefined : first + second;
}

/** Both operands have to be Booleans, or the texts "true" and "false": one that is not makes the result Undefined. */
function logical(decide: (left: boolean, right: boolean) => boolean): Operate {
  return (left, right) => {
    const first = toBoolean(left);
    const second = toBoolean(right);
    return first === undefined || second === undefined ? undefined : decide(first, second);
  };
}

function comparison(compare: (left: SqlNumber, right: SqlNumber) => boolean): Operate {
  return (left, right) => {
    const first = toDecimal(left);
    const second = toDecimal(right);
    return first === undefined || second === undefined ? undefined : compare(first, second);
  };
}

function arithmetic(compute: (left: SqlNumber, right: SqlNumber) => SqlNumber | undefined): Operate {
  return (left, right) => {
    const first = toDecimal(left);
    const second = toDecimal(right);
    return first === undefined || second === undefined ? undefined : compute(first, second);
  };
}
