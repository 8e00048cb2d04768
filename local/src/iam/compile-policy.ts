/** Turns a policy document into functions, once: what an operation asks is then answered without parsing. */
import { invalid } from '../kernel/errors.ts';
import { type Condition, compileConditions } from './conditions.ts';
import { compileGlob, compileResourceGlob, type Match, splitOutsideVariables } from './glob.ts';
import type { OneOrMore, PolicyDocument, PolicyStatement } from './policy-document.ts';
import { compilePrincipals, type Principals } from './principals.ts';

export interface CompiledStatement {
  readonly effect: 'Allow' | 'Deny';
  readonly action: (action: string) => boolean;
  readonly resource: Match;
  readonly principals: Principals | undefined;
  readonly conditions: readonly Condition[];
}

export type CompiledPolicy = readonly CompiledStatement[];

/** What a policy is attached to decides which elements it must and must not have. */
export type PolicyKind = 'identity' | 'resource' | 'trust';

const DOCUMENT_KEYS = new Set(['Version', 'Id', 'Statement']);
const STATEMENT_KEYS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

/**
 * Compiles a document.
 *
 * @throws AwsError MalformedPolicyDocument that says which statement is wrong and what would be right; NotEmulated for a
 *   condition key that the runtime cannot answer
 */
export function compilePolicy(document: PolicyDocument, kind: PolicyKind): CompiledPolicy {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw malformed('a policy document is an object with Version and Statement');
  }
  requireKeys(document, DOCUMENT_KEYS, 'the policy');
  const version = document.Version ?? '2008-10-17';
  if (version !== '2012-10-17' && version !== '2008-10-17') {
    throw malformed(`Version is ${JSON.stringify(version)}; it is 2012-10-17 or 2008-10-17`);
  }
  const statements = [document.Statement].flat();
  if (document.Statement === undefined || statements.length === 0) throw malformed('Statement is missing');
  if (kind !== 'resource') requireSids(statements);
  return statements.map((statement, at) =>
    compileStatement(statement as PolicyStatement, kind, version === '2012-10-17', `statement ${at + 1}`),
  );
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html; other services take more in theirs. */
function requireSids(statements: readonly (PolicyStatement | undefined)[]): void {
  const sids = statements.flatMap((each) => each?.Sid ?? []);
  const wrong = sids.find((each) => !/^[0-9A-Za-z]*$/.test(each));
  if (wrong !== undefined) throw malformed(`the statement id ${JSON.stringify(wrong)} has to be letters and digits`);
  const given = sids.filter((each) => each !== '');
  const twice = given.find((each, at) => given.indexOf(each) !== at);
  if (twice !== undefined) throw malformed(`the statement id ${twice} is there twice; they are unique in a policy`);
}

function compileStatement(
  statement: PolicyStatement,
  kind: PolicyKind,
  variables: boolean,
  where: string,
): CompiledStatement {
  requireKeys(statement, STATEMENT_KEYS, where);
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny')
    throw malformed(`${where} needs Effect Allow or Deny`);
  const hasPrincipal = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
  if (kind === 'identity' && hasPrincipal) throw malformed(`${where}: an identity policy has no Principal`);
  if (kind !== 'identity' && !hasPrincipal) throw malformed(`${where} needs a Principal`);
  const hasResource = statement.Resource !== undefined || statement.NotResource !== undefined;
  if (kind === 'trust' && hasResource) throw malformed(`${where}: a trust policy has no Resource`);
  if (kind === 'identity' && !hasResource) throw malformed(`${where} needs a Resource`);
  return {
    effect: statement.Effect,
    action: compileActions(statement, where),
    resource: hasResource ? compileResources(statement, variables, kind, where) : () => true,
    principals: hasPrincipal ? compilePrincipals(statement, where) : undefined,
    conditions: compileConditions(statement.Condition, variables),
  };
}

function compileActions(statement: PolicyStatement, where: string): (action: string) => boolean {
  const { given, negated } = eitherOf(statement.Action, statement.NotAction, 'Action', where);
  const exact = new Set<string>();
  const patterns: Match[] = [];
  for (const each of given) {
    if (each !== '*' && !/^[a-z0-9-]+:[\w*?]+$/i.test(each)) {
      throw malformed(`${where}: ${JSON.stringify(each)} is not an action; actions are <service>:<name> or *`);
    }
    if (/[*?]/.test(each)) patterns.push(compileGlob(each, { wildcards: true, variables: false, ignoreCase: true }));
    else exact.add(each.toLowerCase());
  }
  const none = () => undefined;
  return (action) => {
    const matched = exact.has(action.toLowerCase()) || patterns.some((match) => match(action, none));
    return matched !== negated;
  };
}

function compileResources(statement: PolicyStatement, variables: boolean, kind: PolicyKind, where: string): Match {
  const { given, negated } = eitherOf(statement.Resource, statement.NotResource, 'Resource', where);
  // Policies of resources name them in forms of their own, for instance a function by its name.
  if (kind === 'identity') for (const each of given) requireArn(each, where);
  const matches = given.map((each) => compileResourceGlob(each, { variables }));
  return (resource, resolve) => matches.some((match) => match(resource, resolve)) !== negated;
}

function requireArn(resource: string, where: string): void {
  if (resource === '*') return;
  const parts = splitOutsideVariables(resource);
  const [arn, partition, service = ''] = parts;
  if (arn !== 'arn' || !partition || (parts.length < 6 && !resource.includes('*'))) {
    throw malformed(`${where}: Resource ${resource} must be in ARN format or "*"`);
  }
  if (/[*?]/.test(service)) throw malformed(`${where}: Resource ${resource} must name the service without wildcards`);
}

function eitherOf(
  plain: OneOrMore<string> | undefined,
  not: OneOrMore<string> | undefined,
  name: string,
  where: string,
): { readonly given: readonly string[]; readonly negated: boolean } {
  if ((plain === undefined) === (not === undefined)) throw malformed(`${where} needs either ${name} or Not${name}`);
  const given = [plain ?? not ?? []].flat();
  const wrong = given.find((each) => typeof each !== 'string');
  if (wrong !== undefined) throw malformed(`${where}: ${name} ${JSON.stringify(wrong)} is not text`);
  if (given.length === 0) throw malformed(`${where}: ${name} is empty`);
  return { given, negated: plain === undefined };
}

function requireKeys(object: object, known: ReadonlySet<string>, where: string): void {
  const unknown = Object.keys(object).find((key) => !known.has(key));
  if (unknown !== undefined) throw malformed(`${where} has an element ${unknown}; known are ${[...known].join(', ')}`);
}

function malformed(detail: string): Error {
  return invalid(`Syntax errors in policy: ${detail}.`, 'MalformedPolicyDocument');
}
