import { type AttributeValue, equals, type Item, sortable, typeOf } from '../attribute-value.ts';
import { type ExpressionNode, isNode, isPath, type Operand, valueAt } from './expression.ts';

type Value = AttributeValue | undefined;

function size(value: Value): Value {
  if (value === undefined) return undefined;
  if (value.S !== undefined) return { N: String(Buffer.byteLength(value.S, 'utf8')) };
  if (value.B !== undefined) return { N: String(Buffer.byteLength(value.B, 'base64')) };
  if (value.M !== undefined) return { N: String(Object.keys(value.M).length) };
  const elements = value.SS ?? value.NS ?? value.BS ?? value.L;
  return elements === undefined ? undefined : { N: String(elements.length) };
}

function resolve(operand: Operand | undefined, item: Item): Value {
  if (operand === undefined) return undefined;
  if (isPath(operand)) return valueAt(operand, item);
  return isNode(operand) ? size(resolve(operand.args[0], item)) : operand;
}

/** Negative, zero or positive; undefined when the two cannot be compared. */
function order(a: Value, b: Value): number | undefined {
  if (a === undefined || b === undefined || typeOf(a) !== typeOf(b)) return undefined;
  const [left, right] = [sortable(a), sortable(b)];
  if (left === undefined || right === undefined) return undefined;
  return left < right ? -1 : left > right ? 1 : 0;
}

function same(a: Value, b: Value): boolean {
  return a !== undefined && b !== undefined && equals(a, b);
}

function contains(value: Value, part: Value): boolean {
  if (value === undefined || part === undefined) return false;
  if (part.S !== undefined && value.S !== undefined) return value.S.includes(part.S);
  if (part.B !== undefined && value.B !== undefined) {
    return Buffer.from(value.B, 'base64').includes(Buffer.from(part.B, 'base64'));
  }
  if (part.S !== undefined && value.SS !== undefined) return value.SS.includes(part.S);
  if (part.N !== undefined && value.NS !== undefined) return value.NS.includes(part.N);
  if (part.B !== undefined && value.BS !== undefined) return value.BS.includes(part.B);
  return value.L?.some((element) => equals(element, part)) ?? false;
}

function beginsWith(value: Value, prefix: Value): boolean {
  if (value?.S !== undefined && prefix?.S !== undefined) return value.S.startsWith(prefix.S);
  if (value?.B === undefined || prefix?.B === undefined) return false;
  const [bytes, start] = [Buffer.from(value.B, 'base64'), Buffer.from(prefix.B, 'base64')];
  return bytes.subarray(0, start.length).equals(start);
}

function callFunction(name: string | undefined, [first, second]: readonly Value[]): boolean {
  switch (name) {
    case 'attribute_exists':
      return first !== undefined;
    case 'attribute_not_exists':
      return first === undefined;
    case 'attribute_type':
      return first !== undefined && typeOf(first) === second?.S;
    case 'contains':
      return contains(first, second);
    case 'begins_with':
      return beginsWith(first, second);
    default:
      throw new Error(`unknown function ${name} in an expression that was accepted`);
  }
}

/** Whether the item (empty when there is none) satisfies a condition or filter expression. */
export function matches(expression: Operand, item: Item): boolean {
  if (!isNode(expression)) throw new Error('an expression that was accepted is no condition');
  const { type, args, name } = expression satisfies ExpressionNode;
  if (type === 'and') return args.every((each) => matches(each, item));
  if (type === 'or') return args.some((each) => matches(each, item));
  if (type === 'not') return !args.every((each) => matches(each, item));
  const values = args.map((each) => resolve(each, item));
  const [value, first, second] = values;
  const compared = order(value, first);
  switch (type) {
    case '=':
      return same(value, first);
    case '<>':
      return !same(value, first);
    case '<':
      return compared !== undefined && compared < 0;
    case '<=':
      return compared !== undefined && compared <= 0;
    case '>':
      return compared !== undefined && compared > 0;
    case '>=':
      return compared !== undefined && compared >= 0;
    case 'between':
      return compared !== undefined && compared >= 0 && (order(value, second) ?? 1) <= 0;
    case 'in':
      return values.slice(1).some((each) => same(value, each));
    default:
      return callFunction(name, values);
  }
}
