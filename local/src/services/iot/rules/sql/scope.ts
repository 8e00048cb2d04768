import type { ExternalFailure } from './external-call.ts';
import type { RuleMessage } from './rule-message.ts';
import type { SqlValue } from './sql-value.ts';

/** What expressions read: one for each rule and message. */
export interface Scope {
  readonly message: RuleMessage;
  readonly accountId: string;
  /** The values of SET, by index. */
  readonly variables: SqlValue[];
  /** Results of external functions, by index. */
  readonly externals: (SqlValue | ExternalFailure)[];
  /** The element that each nested SELECT is at, by depth. */
  readonly elements: SqlValue[];
}

export function newScope(message: RuleMessage, accountId: string): Scope {
  return { message, accountId, variables: [], externals: [], elements: [] };
}

/** The same variables, for templates of an action, whose external functions have results of their own. */
export function templateScope(scope: Scope): Scope {
  return { ...scope, externals: [], elements: [] };
}
