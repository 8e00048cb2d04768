import { Compilation } from './compilation.ts';
import { compileExpression } from './compile-expression.ts';
import { compileSelection } from './compile-select.ts';
import { type CallExternal, ExternalFailure, type ExternalStep, runExternalCalls } from './external-call.ts';
import { parseStatement } from './parse-statement.ts';
import type { RuleMessage } from './rule-message.ts';
import { newScope, type Scope } from './scope.ts';
import { SelectedPayload } from './selected-payload.ts';
import type { SqlObject, SqlValue } from './sql-value.ts';

export interface EvaluationContext {
  readonly accountId: string;
  readonly callExternal: CallExternal;
}

/** What a statement says about a message. */
export type Outcome =
  /** WHERE is not true: no action, and no error. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'selected'; readonly payload: SelectedPayload; readonly scope: Scope }
  /** The rule ends without actions; error actions do not hear of it. */
  | { readonly kind: 'failed'; readonly cause: 'parse-error' | 'external-function'; readonly message: string };

export interface CompiledStatement {
  readonly topicFilter: string | undefined;
  /** The index of each SET variable, for templates. */
  readonly variables: ReadonlyMap<string, number>;
  /** The roles of its external functions. */
  readonly roleArns: ReadonlySet<string>;
  /** Never throws, whatever the message is. A promise only when the statement calls external functions. */
  evaluate(message: RuleMessage, context: EvaluationContext): Outcome | Promise<Outcome>;
}

const NOTHING: SqlObject = {};
const SKIPPED: Outcome = { kind: 'skipped' };

/** Turns SQL of version 2016-03-23 into functions, once. Throws SqlParseException. */
export function compileStatement(sql: string): CompiledStatement {
  const { variables, select, topicFilter, where } = parseStatement(sql);
  const context = new Compilation(sql);
  const phases: Phase[] = [];
  for (const [index, { name, value }] of variables.entries()) {
    const { evaluate } = compileExpression(value, context);
    phases.push({
      steps: context.takeSteps(),
      run: (scope) => {
        scope.variables[index] = evaluate(scope);
        return true;
      },
    });
    context.variables.set(name, index);
  }
  if (where) {
    const { evaluate } = compileExpression(where, context);
    phases.push({ steps: context.takeSteps(), run: (scope) => evaluate(scope) === true });
  }
  const selection = compileSelection(select, context);
  const steps = context.takeSteps();
  const needsJson = context.readsMembers && !context.readsStar;
  const selected = (scope: Scope): Outcome => ({
    kind: 'selected',
    payload: selection.everything
      ? SelectedPayload.everything(scope.message)
      : new SelectedPayload(selection.evaluate(scope, selection.takesMembers ? wholeOf(scope.message) : NOTHING)),
    scope,
  });
  const external = steps.length > 0 || phases.some((each) => each.steps.length > 0);
  return {
    topicFilter,
    variables: context.variables,
    roleArns: context.roleArns,
    evaluate(message, { accountId, callExternal }) {
      // A statement that takes the payload as `*` can do with any; members of what is not JSON are Undefined.
      if (needsJson && message.kind === 'binary') {
        return { kind: 'failed', cause: 'parse-error', message: 'the payload is not JSON' };
      }
      const scope = newScope(message, accountId);
      if (external) return evaluateWithCalls(phases, steps, selected, scope, callExternal);
      return guarded(() => (phases.every(({ run }) => run(scope)) ? selected(scope) : SKIPPED));
    },
  };
}

/** A part of a statement that has to be done before the next: a variable, the condition. */
interface Phase {
  readonly steps: readonly ExternalStep[];
  /** False ends the evaluation. */
  readonly run: (scope: Scope) => boolean;
}

async function evaluateWithCalls(
  phases: readonly Phase[],
  steps: readonly ExternalStep[],
  selected: (scope: Scope) => Outcome,
  scope: Scope,
  callExternal: CallExternal,
): Promise<Outcome> {
  let outcome: Outcome | undefined;
  for (const phase of phases) {
    await runExternalCalls(phase.steps, scope, callExternal);
    outcome = guarded(() => (phase.run(scope) ? undefined : SKIPPED));
    if (outcome) return outcome;
  }
  await runExternalCalls(steps, scope, callExternal);
  return guarded(() => selected(scope));
}

/** Two things may be thrown: the failure of an external function, and an exhausted stack for a payload nested too deep. */
function guarded<Result>(evaluate: () => Result): Result | Outcome {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof ExternalFailure) {
      return { kind: 'failed', cause: 'external-function', message: error.message };
    }
    if (error instanceof RangeError) return { kind: 'failed', cause: 'parse-error', message: error.message };
    throw error;
  }
}

/**
 * What `*` beside other items adds. Of a payload that is no JSON object, AWS's pages say only that data can be added to
 * it: here it is in base64, under the name that the DynamoDB action gives a payload by default.
 */
function wholeOf(message: RuleMessage): SqlObject {
  if (message.kind === 'object') return message.json as SqlObject;
  if (message.kind === 'empty') return {};
  const payload: SqlValue = message.source.payload.toString('base64');
  return { payload };
}
