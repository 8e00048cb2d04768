/** Condition operators (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html). */
import { BlockList, isIP } from 'node:net';
import { invalid } from '../kernel/errors.ts';
import { compileArnGlob, compileGlob, type Variables } from './glob.ts';
import type { PolicyStatement } from './policy-document.ts';
import type { RequestKeys } from './request-context.ts';
import { isKnownGlobalKey } from './request-context.ts';

export type Condition = (keys: RequestKeys, variables: Variables) => boolean;

/** Whether one value of the request fits one value of the policy. */
type Test = (value: string, variables: Variables) => boolean;

interface Operator {
  readonly negated: boolean;
  compile(expected: string, variables: boolean): Test;
}

function text(wildcards: boolean, ignoreCase: boolean): Operator['compile'] {
  return (expected, variables) => compileGlob(expected, { wildcards, variables, ignoreCase });
}

function arn(expected: string, variables: boolean): Test {
  return compileArnGlob(expected, { wildcards: true, variables });
}

function ordered(parse: (value: string) => number, holds: (given: number, expected: number) => boolean) {
  return (expected: string): Test => {
    const bound = parse(expected);
    if (Number.isNaN(bound)) throw malformed(`${JSON.stringify(expected)} is not a number or date`);
    return (value) => {
      const given = parse(value);
      return !Number.isNaN(given) && holds(given, bound);
    };
  };
}

function parseNumber(value: string): number {
  return value.trim() === '' ? Number.NaN : Number(value);
}

/** ISO 8601 or epoch seconds. */
function parseDate(value: string): number {
  return /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value);
}

function ipAddress(expected: string): Test {
  const [address = '', prefix] = expected.split('/');
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const length = prefix === undefined ? longest : Number(prefix);
  if (version === 0 || !(Number.isInteger(length) && length >= 0 && length <= longest)) {
    throw malformed(`${JSON.stringify(expected)} is not an address range in CIDR form`);
  }
  const list = new BlockList();
  list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  return (value) => {
    const given = isIP(value);
    return given !== 0 && list.check(value, given === 4 ? 'ipv4' : 'ipv6');
  };
}

const equal = (a: number, b: number) => a === b;
const less = (a: number, b: number) => a < b;
const lessOrEqual = (a: number, b: number) => a <= b;
const greater = (a: number, b: number) => a > b;
const greaterOrEqual = (a: number, b: number) => a >= b;

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { negated: false, compile: text(false, false) },
  StringNotEquals: { negated: true, compile: text(false, false) },
  StringEqualsIgnoreCase: { negated: false, compile: text(false, true) },
  StringNotEqualsIgnoreCase: { negated: true, compile: text(false, true) },
  StringLike: { negated: false, compile: text(true, false) },
  StringNotLike: { negated: true, compile: text(true, false) },
  NumericEquals: { negated: false, compile: ordered(parseNumber, equal) },
  NumericNotEquals: { negated: true, compile: ordered(parseNumber, equal) },
  NumericLessThan: { negated: false, compile: ordered(parseNumber, less) },
  NumericLessThanEquals: { negated: false, compile: ordered(parseNumber, lessOrEqual) },
  NumericGreaterThan: { negated: false, compile: ordered(parseNumber, greater) },
  NumericGreaterThanEquals: { negated: false, compile: ordered(parseNumber, greaterOrEqual) },
  DateEquals: { negated: false, compile: ordered(parseDate, equal) },
  DateNotEquals: { negated: true, compile: ordered(parseDate, equal) },
  DateLessThan: { negated: false, compile: ordered(parseDate, less) },
  DateLessThanEquals: { negated: false, compile: ordered(parseDate, lessOrEqual) },
  DateGreaterThan: { negated: false, compile: ordered(parseDate, greater) },
  DateGreaterThanEquals: { negated: false, compile: ordered(parseDate, greaterOrEqual) },
  Bool: { negated: false, compile: text(false, true) },
  BinaryEquals: { negated: false, compile: text(false, false) },
  IpAddress: { negated: false, compile: ipAddress },
  NotIpAddress: { negated: true, compile: ipAddress },
  ArnEquals: { negated: false, compile: arn },
  ArnLike: { negated: false, compile: arn },
  ArnNotEquals: { negated: true, compile: arn },
  ArnNotLike: { negated: true, compile: arn },
};

type Quantifier = 'ForAllValues' | 'ForAnyValue' | undefined;

/**
 * Compiles the Condition element; all of its conditions must hold.
 *
 * @throws AwsError MalformedPolicyDocument for an operator that does not exist, NotEmulated for an unknown `aws:` key
 */
export function compileConditions(given: PolicyStatement['Condition'], variables: boolean): readonly Condition[] {
  return Object.entries(given ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => compileOne(operator, key, [values].flat().map(String), variables)),
  );
}

function compileOne(written: string, key: string, values: readonly string[], variables: boolean): Condition {
  if (key.toLowerCase().startsWith('aws:') && !isKnownGlobalKey(key)) {
    throw invalid(`The local runtime does not emulate the condition key ${key}.`, 'NotEmulated');
  }
  const { quantifier, name, ifExists } = takeApart(written);
  if (name === 'Null' && !quantifier && !ifExists) {
    const wanted = values.map((value) => value.toLowerCase() === 'true');
    return (keys) => wanted.includes(isAbsent(keys(key)));
  }
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (!operator) throw malformed(`${written} is not a condition operator`);
  const tests = values.map((value) => operator.compile(value, variables));
  const fits = (value: string, resolve: Variables) => tests.some((test) => test(value, resolve)) !== operator.negated;
  return (keys, resolve) => {
    const value = keys(key);
    if (isAbsent(value))
      return ifExists || quantifier === 'ForAllValues' || (operator.negated && quantifier === undefined);
    const list = typeof value === 'string' ? [value] : (value ?? []);
    // A plain operator on a key of several values: one is enough, and for a negated operator none may fit.
    if (quantifier === 'ForAnyValue') return list.some((each) => fits(each, resolve));
    if (quantifier === 'ForAllValues' || operator.negated) return list.every((each) => fits(each, resolve));
    return list.some((each) => fits(each, resolve));
  };
}

function takeApart(written: string): {
  readonly quantifier: Quantifier;
  readonly name: string;
  readonly ifExists: boolean;
} {
  const [, quantifier, name = written, ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(written) ?? [];
  return { quantifier: quantifier as Quantifier, name, ifExists: ifExists !== undefined };
}

function isAbsent(value: string | readonly string[] | undefined): boolean {
  return value === undefined || (typeof value !== 'string' && value.length === 0);
}

function malformed(detail: string): Error {
  return invalid(`The policy has a condition that cannot be evaluated: ${detail}.`, 'MalformedPolicyDocument');
}
