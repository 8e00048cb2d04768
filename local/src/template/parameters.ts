import type { Template } from './template.ts';

/** The version of the bootstrap stack that templates check; there is none here, and none is needed. */
const BOOTSTRAP_VERSION = '30';
const BOOTSTRAP_PARAMETER = /^\/cdk-bootstrap\/[^/]+\/version$/;

/**
 * Values of a template's parameters: what the assembly gives, else the default. Reports a parameter that has neither, or
 * a type whose value would have to be looked up in an account.
 */
export function parameterValues(
  parameters: Template['Parameters'],
  given: Readonly<Record<string, string>>,
  problem: (name: string, type: string, message: string) => void,
): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, { Type, Default }] of Object.entries(parameters ?? {})) {
    const value = given[name] ?? Default;
    if (value === undefined) problem(name, Type, 'the parameter has no default; the runtime takes no parameters');
    else values.set(name, typed(name, Type, String(value), problem));
  }
  return values;
}

function typed(
  name: string,
  type: string,
  value: string,
  problem: (name: string, type: string, message: string) => void,
): unknown {
  switch (type) {
    case 'String':
    case 'Number':
      return value;
    case 'CommaDelimitedList':
    case 'List<Number>':
      return value.split(',').map((each) => each.trim());
    case 'AWS::SSM::Parameter::Value<String>':
      if (BOOTSTRAP_PARAMETER.test(value)) return BOOTSTRAP_VERSION;
  }
  problem(name, type, `a parameter of this type (${value}) cannot be looked up on this machine`);
  return '';
}
