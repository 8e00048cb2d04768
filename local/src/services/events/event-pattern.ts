/** Event patterns: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html */
import { AwsError } from '../../kernel/errors.ts';

export type Matcher = (event: unknown) => boolean;
type ValueTest = (value: unknown) => boolean;

/**
 * Compiles a pattern once.
 *
 * @throws AwsError InvalidEventPatternException that names the place and what would be right
 */
export function compileEventPattern(text: string): Matcher {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch (cause) {
    throw wrong(`it is not JSON: ${(cause as Error).message}`);
  }
  return compileObject(pattern, '');
}

function compileObject(pattern: unknown, path: string): Matcher {
  if (typeof pattern !== 'object' || pattern === null || Array.isArray(pattern)) {
    throw wrong(`${path || 'the pattern'} must be an object or an array`);
  }
  const members = Object.entries(pattern).map(([name, value]) => {
    const at = path ? `${path}.${name}` : name;
    if (name === '$or') throw wrong(`${at}: the local runtime does not emulate $or`);
    return [name, Array.isArray(value) ? compileField(value, at) : compileObject(value, at)] as const;
  });
  if (members.length === 0) throw wrong(`${path || 'the pattern'} is empty`);
  return (event) => {
    if (Array.isArray(event))
      return event.some((each) => members.every(([name, matches]) => matches(member(each, name))));
    return members.every(([name, matches]) => matches(member(event, name)));
  };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

/** A field matches when one of the listed tests holds for its value, or for one element of it. */
function compileField(alternatives: readonly unknown[], path: string): Matcher {
  if (alternatives.length === 0) throw wrong(`${path} is an empty array`);
  const tests = alternatives.map((each) => compileTest(each, path));
  return (value) => {
    const values = Array.isArray(value) && value.length > 0 ? value : [value];
    return tests.some((test) => values.some(test));
  };
}

function compileTest(test: unknown, path: string): ValueTest {
  if (typeof test !== 'object' || test === null) return (value) => value === test;
  const [[operator, operand] = ['', undefined], ...more] = Object.entries(test);
  if (more.length > 0) throw wrong(`${path}: a filter has one operator, not ${Object.keys(test).join(', ')}`);
  switch (operator) {
    case 'prefix':
      return textTest(operand, path, operator, (value, text) => value.startsWith(text));
    case 'suffix':
      return textTest(operand, path, operator, (value, text) => value.endsWith(text));
    case 'equals-ignore-case':
      return textTest(operand, path, operator, (value, text) => value.toLowerCase() === text.toLowerCase());
    case 'exists':
      if (typeof operand !== 'boolean') throw wrong(`${path}: exists is true or false`);
      return (value) => (value !== undefined) === operand;
    case 'anything-but':
      return anythingBut(operand, path);
    case 'numeric':
      return numeric(operand, path);
    default:
      throw wrong(
        `${path}: the filter ${operator} is not emulated; there are prefix, suffix, equals-ignore-case, exists, anything-but, numeric`,
      );
  }
}

function textTest(
  operand: unknown,
  path: string,
  operator: string,
  holds: (value: string, text: string) => boolean,
): ValueTest {
  if (typeof operand !== 'string') throw wrong(`${path}: ${operator} takes text`);
  return (value) => typeof value === 'string' && holds(value, operand);
}

function anythingBut(operand: unknown, path: string): ValueTest {
  const tests = [operand].flat().map((each) => compileTest(each, path));
  return (value) => value !== undefined && !tests.some((test) => test(value));
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function numeric(operand: unknown, path: string): ValueTest {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0) {
    throw wrong(`${path}: numeric takes pairs of operator and number`);
  }
  const tests: ((value: number) => boolean)[] = [];
  for (let at = 0; at < operand.length; at += 2) {
    const holds = COMPARISONS[String(operand[at])];
    const bound: unknown = operand[at + 1];
    if (!holds || typeof bound !== 'number') throw wrong(`${path}: numeric ${String(operand[at])} ${String(bound)}`);
    tests.push((value) => holds(value, bound));
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function wrong(detail: string): AwsError {
  return new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${detail}`);
}
