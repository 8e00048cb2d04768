/**
 * Reads and compiles an IoT policy document, once for each version. Grammar, wildcards and condition operators are IAM's
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html); `+` and `#` are plain characters.
 */
import { type CompiledStatement, compilePolicy } from '../../../iam/compile-policy.ts';
import { type Condition, compileConditions } from '../../../iam/conditions.ts';
import type { PolicyDocument, PolicyStatement } from '../../../iam/policy-document.ts';
import { AwsError } from '../../../kernel/errors.ts';
import { malformedPolicy, optionNotEmulated } from '../control/errors.ts';
import { parsePolicyVariable } from './policy-variables.ts';

/** Quotas: "Maximum policy document size", "doesn't count white space". */
const MAX_CHARACTERS = 2048;

export interface IotCondition {
  /** Holds when a value does not fit: an unresolvable variable must not make it hold. */
  readonly negated: boolean;
  readonly holds: Condition;
}

export interface IotStatement extends Pick<CompiledStatement, 'effect' | 'action' | 'resource'> {
  /** Written with NotResource. */
  readonly negatedResource: boolean;
  readonly iotConditions: readonly IotCondition[];
}

export type CompiledIotPolicy = readonly IotStatement[];

/** @throws AwsError MalformedPolicyException that says what is wrong; NotEmulated for what AWS has and the runtime not */
export function compileIotPolicy(text: string): {
  readonly document: PolicyDocument;
  readonly compiled: CompiledIotPolicy;
} {
  const length = text.replace(/\s/g, '').length;
  if (length > MAX_CHARACTERS) {
    throw malformedPolicy(
      `Policy cannot be created - size exceeds hard limit (${MAX_CHARACTERS}); it has ${length} characters without white space`,
    );
  }
  const document = parse(text);
  if (document.Version !== '2012-10-17') {
    throw malformedPolicy(`Version is ${JSON.stringify(document.Version)}; it has to be "2012-10-17"`);
  }
  // As JSON again, so that no escape hides a name.
  refuseUnknownNames(JSON.stringify(document));
  try {
    return { document, compiled: [document.Statement].flat().map(compileStatement) };
  } catch (error) {
    // IAM's parts say it with IAM's code.
    if (error instanceof AwsError && error.code === 'MalformedPolicyDocument') throw malformedPolicy(error.message);
    throw error;
  }
}

function parse(text: string): PolicyDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformedPolicy(`The policy document is not JSON: ${(cause as Error).message}`);
  }
  const { Statement } = Object(value) as { Statement?: unknown };
  const statements = [Statement].flat();
  if (statements.length === 0 || statements.some((each) => typeof each !== 'object' || each === null)) {
    throw malformedPolicy('The policy document needs a Statement: an object or a list of objects');
  }
  // The statements themselves are checked where they are compiled.
  return value as PolicyDocument;
}

function compileStatement({ Condition: conditions, ...statement }: PolicyStatement, at: number): IotStatement {
  const [compiled] = compilePolicy({ Version: '2012-10-17', Statement: statement }, 'identity');
  if (!compiled) throw malformedPolicy(`statement ${at + 1} cannot be read`);
  const { effect, action, resource } = compiled;
  return {
    effect,
    action,
    resource,
    negatedResource: statement.NotResource !== undefined,
    iotConditions: compileEach(conditions, at),
  };
}

function compileEach(conditions: PolicyStatement['Condition'], at: number): readonly IotCondition[] {
  return Object.entries(conditions ?? {}).flatMap(([operator, keys]) => {
    if (typeof keys !== 'object' || keys === null) {
      throw malformedPolicy(`statement ${at + 1}: the condition ${operator} needs an object of keys and values`);
    }
    return Object.entries(keys).map(([key, values]) => {
      requireKnown(key, `statement ${at + 1}: the condition key ${key}`);
      const [holds] = compileConditions({ [operator]: { [key]: values } }, true);
      if (!holds) throw malformedPolicy(`statement ${at + 1}: the condition ${operator} cannot be read`);
      return { negated: operator.includes('Not'), holds };
    });
  });
}

/** Every `${...}` must be a name that the runtime can resolve: a policy must not match less here than on AWS. */
function refuseUnknownNames(text: string): void {
  if (/\$\((?:\*|\?|\$)\)/.test(text)) {
    throw optionNotEmulated('the escapes $(*), $(?) and $($) in IoT policies, only those with braces');
  }
  for (const [, inside = ''] of text.matchAll(/\$\{([^}]*)\}/g)) {
    const name = inside.replace(/,\s*'[^']*'\s*$/, '').trim();
    if (!['*', '?', '$'].includes(name)) requireKnown(name, `the policy variable \${${name}}`);
  }
}

function requireKnown(name: string, what: string): void {
  if (parsePolicyVariable(name)) return;
  if (/^(?:aws|iot|cognito-identity\.amazonaws\.com):/i.test(name)) throw optionNotEmulated(what);
  throw malformedPolicy(`${what} is not known to AWS IoT`);
}
