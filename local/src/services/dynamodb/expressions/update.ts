import { invalid } from '../../../kernel/errors.ts';
import { type AttributeType, type AttributeValue, type Item, typeOf } from '../attribute-value.ts';
import { addNumbers } from '../decimal.ts';
import { type DocumentPath, isNode, isPath, type Operand, valueAt } from './expression.ts';

/** One clause of an update expression. */
export interface UpdateSection {
  readonly type: 'set' | 'remove' | 'add' | 'delete';
  readonly path: DocumentPath;
  /** What SET assigns, or the operand of ADD and DELETE. */
  readonly val?: Operand;
  readonly attrType?: AttributeType;
}

const WRONG_TYPE = 'An operand in the update expression has an incorrect data type';
const NO_ATTRIBUTE = 'The provided expression refers to an attribute that does not exist in the item';
const NO_PATH = 'The document path provided in the update expression is invalid for update';

type Draft = { -readonly [Name in keyof AttributeValue]: AttributeValue[Name] };
type DraftMap = Record<string, AttributeValue>;

function evaluate(operand: Operand | undefined, item: Item): AttributeValue {
  if (operand === undefined) throw invalid(NO_ATTRIBUTE);
  if (isPath(operand)) {
    const value = valueAt(operand, item);
    if (value === undefined) throw invalid(NO_ATTRIBUTE);
    return value;
  }
  if (!isNode(operand)) return operand;
  const [first, second] = operand.args;
  if (operand.name === 'if_not_exists') {
    return (first !== undefined && isPath(first) ? valueAt(first, item) : undefined) ?? evaluate(second, item);
  }
  const [left, right] = [evaluate(first, item), evaluate(second, item)];
  if (operand.name === 'list_append') {
    if (left.L === undefined || right.L === undefined) throw invalid(WRONG_TYPE);
    return { L: [...left.L, ...right.L] };
  }
  if (left.N === undefined || right.N === undefined) throw invalid(WRONG_TYPE);
  return { N: addNumbers(left.N, right.N, operand.type === 'subtract' ? -1 : 1) };
}

function copy(value: AttributeValue): AttributeValue {
  if (value.M !== undefined) return { M: copyMap(value.M) };
  return value.L === undefined ? value : { L: value.L.map(copy) };
}

function copyMap(item: Item): DraftMap {
  const draft: DraftMap = {};
  for (const [name, value] of Object.entries(item)) draft[name] = copy(value);
  return draft;
}

/** The map or list that holds the last step of the path. The draft is our own copy, so it may be changed. */
function container(path: DocumentPath, draft: DraftMap): { map?: DraftMap; list?: AttributeValue[] } {
  if (path.length === 1) return { map: draft };
  const parent = valueAt(path.slice(0, -1), draft) as Draft | undefined;
  if (typeof path.at(-1) === 'number') {
    if (parent?.L !== undefined) return { list: parent.L as AttributeValue[] };
  } else if (parent?.M !== undefined) {
    return { map: parent.M as DraftMap };
  }
  throw invalid(NO_PATH);
}

function put(path: DocumentPath, value: AttributeValue, draft: DraftMap): void {
  const { map, list } = container(path, draft);
  const last = path.at(-1);
  if (map) map[String(last)] = copy(value);
  // An index beyond the end appends.
  else if (list) list[Math.min(Number(last), list.length)] = copy(value);
}

function remove(path: DocumentPath, draft: DraftMap): void {
  const { map, list } = container(path, draft);
  const last = path.at(-1);
  if (map) delete map[String(last)];
  else list?.splice(Number(last), 1);
}

function setMembers(value: AttributeValue): readonly string[] | undefined {
  return value.SS ?? value.NS ?? value.BS;
}

function add(existing: AttributeValue | undefined, operand: AttributeValue): AttributeValue {
  if (existing === undefined) return operand;
  if (typeOf(existing) !== typeOf(operand)) throw invalid(WRONG_TYPE);
  if (existing.N !== undefined && operand.N !== undefined) return { N: addNumbers(existing.N, operand.N) };
  return { [typeOf(operand)]: [...new Set([...(setMembers(existing) ?? []), ...(setMembers(operand) ?? [])])] };
}

function subtract(existing: AttributeValue, operand: AttributeValue): AttributeValue | undefined {
  if (typeOf(existing) !== typeOf(operand)) throw invalid(WRONG_TYPE);
  const left = setMembers(existing)?.filter((each) => !setMembers(operand)?.includes(each)) ?? [];
  return left.length === 0 ? undefined : { [typeOf(operand)]: left };
}

/** Higher list indexes first, so that removing one element does not move the next. */
function byPathDescending(a: DocumentPath, b: DocumentPath): number {
  for (let depth = 0; depth < Math.min(a.length, b.length); depth += 1) {
    const [left, right] = [a[depth], b[depth]];
    if (left === right) continue;
    return typeof left === 'number' && typeof right === 'number' ? right - left : 0;
  }
  return 0;
}

/**
 * The item after an update expression. Every operand is read from the item as it was before.
 *
 * @throws AwsError ValidationException as DynamoDB words it: missing attribute, wrong type, invalid path
 */
export function applyUpdate(sections: readonly UpdateSection[], item: Item): Item {
  const values = sections.map(({ type, val }) => (type === 'remove' ? undefined : evaluate(val, item)));
  const draft = copyMap(item);
  const removed: DocumentPath[] = [];
  sections.forEach(({ type, path }, index) => {
    const value = values[index];
    if (value === undefined) {
      if (valueAt(path, draft) !== undefined) removed.push(path);
      else container(path, draft);
      return;
    }
    if (type === 'set') {
      put(path, value, draft);
      return;
    }
    const existing = valueAt(path, item);
    if (type === 'add') put(path, add(existing, value), draft);
    else if (existing !== undefined) {
      const rest = subtract(existing, value);
      if (rest === undefined) removed.push(path);
      else put(path, rest, draft);
    }
  });
  for (const path of removed.sort(byPathDescending)) remove(path, draft);
  return draft;
}
