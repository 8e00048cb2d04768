import { parseArn } from '../kernel/arn.ts';
import type { Caller } from '../kernel/caller.ts';
import { invalid } from '../kernel/errors.ts';
import type { PolicyStatement } from './policy-document.ts';

/**
 * How a Principal element names a caller:
 * - `directly`: by its own ARN, its role's, its service name, or with everybody: an Allow needs nothing else;
 * - `through-account`: by the account: an Allow leaves the decision to the caller's identity policies.
 */
export type Naming = 'directly' | 'through-account' | undefined;

export type Principals = (caller: Caller) => Naming;

const COGNITO = 'cognito-identity.amazonaws.com';

/** Compiles Principal or NotPrincipal. Throws MalformedPolicyDocument, or NotEmulated for identity providers other than Cognito. */
export function compilePrincipals(statement: PolicyStatement, where: string): Principals {
  if (statement.NotPrincipal !== undefined) {
    const named = compileElement(statement.NotPrincipal, where);
    return (caller) => (named(caller) === undefined ? 'directly' : undefined);
  }
  return compileElement(statement.Principal ?? {}, where);
}

function compileElement(element: NonNullable<PolicyStatement['Principal']>, where: string): Principals {
  if (element === '*') return () => 'directly';
  if (typeof element !== 'object' || element === null) {
    throw malformed(`${where}: Principal is ${JSON.stringify(element)}; it is "*" or an object`);
  }
  const services = new Set<string>();
  const providers = new Set<string>();
  const arns = new Set<string>();
  const accounts = new Set<string>();
  let everybody = false;
  for (const [type, values] of Object.entries(element)) {
    for (const value of [values].flat()) {
      if (type === 'Service') services.add(value);
      else if (type === 'AWS' && value === '*') everybody = true;
      else if (type === 'AWS') addAws(value, arns, accounts, where);
      else if (type === 'Federated' && value === COGNITO) providers.add(value);
      else if (type === 'Federated' || type === 'CanonicalUser') {
        throw invalid(`The local runtime does not emulate principals of type ${type} (${value}).`, 'NotEmulated');
      } else throw malformed(`${where}: Principal has a member ${type}; known are AWS, Service, Federated`);
    }
  }
  return (caller) => {
    if (caller.kind === 'service') return services.has(caller.arn) ? 'directly' : undefined;
    if (caller.kind === 'federated') return providers.has(caller.arn) ? 'directly' : undefined;
    if (everybody || arns.has(caller.arn)) return 'directly';
    if (caller.kind === 'role' && arns.has(caller.roleArn)) return 'directly';
    return accounts.has(caller.accountId) ? 'through-account' : undefined;
  };
}

function addAws(value: string, arns: Set<string>, accounts: Set<string>, where: string): void {
  const arn = parseArn(value);
  if (/^\d{12}$/.test(value)) accounts.add(value);
  else if (arn?.resource === 'root') accounts.add(arn.accountId);
  else if (arn) arns.add(value);
  else throw malformed(`${where}: ${JSON.stringify(value)} is not a principal; give an ARN or an account id`);
}

function malformed(detail: string): Error {
  return invalid(`Invalid principal in policy: ${detail}.`, 'MalformedPolicyDocument');
}
