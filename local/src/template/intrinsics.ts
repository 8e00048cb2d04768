/**
 * Intrinsic functions (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
 * The same code runs twice: when the plan is made, with everything a resource will have once it exists as DEFERRED, and
 * when the stack is deployed, with the real values.
 */

/** A value that is known once a resource exists. */
export const DEFERRED: unique symbol = Symbol('known once the resource exists');
/** What AWS::NoValue gives: the property is left out. */
export const NO_VALUE: unique symbol = Symbol('AWS::NoValue');

/** Where references lead. Each function answers the value, or what `fail` answers. */
export interface Scope {
  readonly region: string;
  ref(name: string, path: string): unknown;
  getAtt(logicalId: string, attribute: string, path: string): unknown;
  condition(name: string, path: string): boolean;
  mapping(map: string, top: string, second: string, path: string): unknown;
  importValue(name: string, path: string): unknown;
  /** Notes a problem; its answer stands for the value that could not be had. */
  fail(path: string, message: string): typeof DEFERRED;
}

type Intrinsic = (argument: unknown, scope: Scope, path: string) => unknown;

/** Replaces all intrinsic functions in a value. `path` is where it stands, for messages. */
export function resolve(value: unknown, scope: Scope, path: string): unknown {
  if (typeof value === 'string') {
    if (!value.includes('{{resolve:')) return value;
    return scope.fail(path, 'dynamic references ({{resolve:...}}) are not emulated');
  }
  if (Array.isArray(value)) {
    return value.map((each, at) => resolve(each, scope, `${path}[${at}]`)).filter((each) => each !== NO_VALUE);
  }
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  const name = keys.find((key) => key === 'Ref' || key.startsWith('Fn::'));
  if (name === undefined || (name === 'Ref' && keys.length > 1)) return resolveMembers(value, scope, path);
  if (keys.length > 1) return scope.fail(path, `${name} stands beside other members`);
  const intrinsic = Object.hasOwn(INTRINSICS, name) ? INTRINSICS[name] : undefined;
  if (!intrinsic) return scope.fail(path, `the intrinsic function ${name} is not emulated`);
  return intrinsic((value as Record<string, unknown>)[name], scope, path);
}

function resolveMembers(value: object, scope: Scope, path: string): Record<string, unknown> {
  const members = Object.entries(value).map(
    ([key, each]) => [key, resolve(each, scope, path === '' ? key : `${path}.${key}`)] as const,
  );
  return Object.fromEntries(members.filter(([, each]) => each !== NO_VALUE));
}

/** Evaluates an expression of the Conditions section. */
export function evaluateCondition(value: unknown, scope: Scope, path: string): boolean {
  const [entry, ...more] = Object.entries(Object(value));
  const [name, argument] = entry ?? ['', undefined];
  const list = Array.isArray(argument) ? argument : [];
  const each = (item: unknown) => evaluateCondition(item, scope, path);
  if (more.length === 0) {
    if (name === 'Condition' && typeof argument === 'string') return scope.condition(argument, path);
    if (name === 'Fn::Not' && list.length === 1) return !each(list[0]);
    if (name === 'Fn::And' && list.length >= 2) return list.every(each);
    if (name === 'Fn::Or' && list.length >= 2) return list.some(each);
    if (name === 'Fn::Equals' && list.length === 2) {
      const [a, b] = list.map((item) => resolve(item, scope, path));
      return JSON.stringify(asText(a) ?? a) === JSON.stringify(asText(b) ?? b);
    }
  }
  scope.fail(path, `${JSON.stringify(value)} is not a condition`);
  return false;
}

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (name, scope, path) =>
    typeof name === 'string'
      ? scope.ref(name, path)
      : scope.fail(path, 'Ref needs the name of a parameter or resource'),

  'Fn::GetAtt': (argument, scope, path) => {
    const parts = typeof argument === 'string' ? splitOnce(argument, '.') : argument;
    if (!Array.isArray(parts) || parts.length !== 2) {
      return scope.fail(path, 'Fn::GetAtt needs a logical id and an attribute');
    }
    const [logicalId, attribute] = [parts[0], resolve(parts[1], scope, path)];
    if (typeof logicalId !== 'string' || typeof attribute !== 'string') {
      return scope.fail(path, 'Fn::GetAtt needs a logical id and an attribute');
    }
    return scope.getAtt(logicalId, attribute, path);
  },

  'Fn::Join': (argument, scope, path) => {
    const [delimiter, given] = listOf(argument);
    const list = resolve(given, scope, path);
    if (list === DEFERRED) return DEFERRED;
    if (typeof delimiter !== 'string' || !Array.isArray(list))
      return scope.fail(path, 'Fn::Join needs a delimiter and a list');
    return joinTexts(list, delimiter, scope, path);
  },

  'Fn::Sub': (argument, scope, path) => {
    const [template, variables = {}] = typeof argument === 'string' ? [argument] : listOf(argument);
    if (typeof template !== 'string') return scope.fail(path, 'Fn::Sub needs a text');
    return substitute(template, Object(variables) as Record<string, unknown>, scope, path);
  },

  'Fn::Select': (argument, scope, path) => {
    const [index, given] = listOf(argument).map((each) => resolve(each, scope, path));
    if (given === DEFERRED || index === DEFERRED) return DEFERRED;
    const at = Number(index);
    if (!Array.isArray(given) || !Number.isInteger(at)) return scope.fail(path, 'Fn::Select needs an index and a list');
    return given[at] ?? scope.fail(path, `Fn::Select: there is no item ${at} in a list of ${given.length}`);
  },

  'Fn::Split': (argument, scope, path) => {
    const [delimiter, given] = listOf(argument).map((each) => resolve(each, scope, path));
    if (given === DEFERRED) return DEFERRED;
    if (typeof delimiter !== 'string' || delimiter === '' || typeof given !== 'string') {
      return scope.fail(path, 'Fn::Split needs a delimiter and a text');
    }
    return given.split(delimiter);
  },

  'Fn::If': (argument, scope, path) => {
    const [name, whenTrue, whenFalse] = listOf(argument);
    if (typeof name !== 'string' || listOf(argument).length !== 3) {
      return scope.fail(path, 'Fn::If needs the name of a condition and two values');
    }
    return resolve(scope.condition(name, path) ? whenTrue : whenFalse, scope, path);
  },

  'Fn::FindInMap': (argument, scope, path) => {
    const names = listOf(argument).map((each) => resolve(each, scope, path));
    const [map, top, second, ...more] = names;
    if (typeof map !== 'string' || typeof top !== 'string' || typeof second !== 'string' || more.length > 0) {
      return scope.fail(path, 'Fn::FindInMap needs three names that are known before the deployment');
    }
    return scope.mapping(map, top, second, path);
  },

  'Fn::ImportValue': (argument, scope, path) => {
    const name = resolve(argument, scope, path);
    if (typeof name !== 'string')
      return scope.fail(path, 'Fn::ImportValue needs a name that is known before the deployment');
    return scope.importValue(name, path);
  },

  'Fn::Base64': (argument, scope, path) => {
    const text = resolve(argument, scope, path);
    if (text === DEFERRED) return DEFERRED;
    return typeof text === 'string'
      ? Buffer.from(text).toString('base64')
      : scope.fail(path, 'Fn::Base64 needs a text');
  },

  'Fn::GetAZs': (argument, scope, path) => {
    const region = resolve(argument, scope, path);
    if (region !== '' && region !== scope.region) return scope.fail(path, `Fn::GetAZs knows ${scope.region} only`);
    return ['a', 'b', 'c'].map((letter) => `${scope.region}${letter}`);
  },
};

function substitute(template: string, variables: Record<string, unknown>, scope: Scope, path: string): unknown {
  const pieces: unknown[] = [];
  let at = 0;
  for (const match of template.matchAll(/\$\{(!?)([^}]*)\}/g)) {
    const [whole, literal, inside = ''] = match;
    pieces.push(template.slice(at, match.index));
    at = match.index + whole.length;
    const name = inside.trim();
    if (literal) pieces.push(`\${${inside}}`);
    else if (Object.hasOwn(variables, name)) pieces.push(resolve(variables[name], scope, path));
    else if (name.includes('.')) pieces.push(INTRINSICS['Fn::GetAtt']?.(name, scope, path));
    else pieces.push(scope.ref(name, path));
  }
  pieces.push(template.slice(at));
  return joinTexts(pieces, '', scope, path);
}

function joinTexts(items: readonly unknown[], delimiter: string, scope: Scope, path: string): unknown {
  if (items.includes(DEFERRED)) return DEFERRED;
  const texts: string[] = [];
  for (const item of items) {
    const text = asText(item);
    if (text === undefined) return scope.fail(path, `${JSON.stringify(item)} stands where a text is needed`);
    texts.push(text);
  }
  return texts.join(delimiter);
}

function asText(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function listOf(argument: unknown): readonly unknown[] {
  return Array.isArray(argument) ? argument : [];
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
