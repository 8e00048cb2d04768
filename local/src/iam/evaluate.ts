/**
 * The decision over one request in one account
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html): an explicit denial wins;
 * otherwise an Allow of the identity policies or of the resource's own policy is enough.
 */
import type { Caller } from '../kernel/caller.ts';
import type { CompiledPolicy, CompiledStatement } from './compile-policy.ts';
import type { Variables } from './glob.ts';
import type { RequestKeys } from './request-context.ts';

export interface Question {
  readonly caller: Caller;
  readonly action: string;
  readonly resource: string;
  readonly keys: RequestKeys;
}

export type Effect = 'allow' | 'deny' | 'none' | 'allow-through-account';

/** What one set of policies says: an explicit `deny` wins over everything, a direct `allow` over one through the account. */
export function evaluate(policies: Iterable<CompiledPolicy>, question: Question): Effect {
  const variables: Variables = (name) => {
    const value = question.keys(name);
    return typeof value === 'string' ? value : undefined;
  };
  let effect: Effect = 'none';
  for (const policy of policies) {
    for (const statement of policy) {
      // What would change nothing need not be evaluated.
      if (statement.effect === 'Allow' && effect === 'allow') continue;
      const naming = statement.principals ? statement.principals(question.caller) : 'directly';
      if (naming === undefined || !applies(statement, question, variables)) continue;
      if (statement.effect === 'Deny') return 'deny';
      effect = naming === 'directly' ? 'allow' : 'allow-through-account';
    }
  }
  return effect;
}

function applies(statement: CompiledStatement, { action, resource, keys }: Question, variables: Variables): boolean {
  return (
    statement.action(action) &&
    statement.resource(resource, variables) &&
    statement.conditions.every((holds) => holds(keys, variables))
  );
}
