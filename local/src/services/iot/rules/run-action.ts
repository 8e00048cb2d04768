import type { Caller } from '../../../kernel/caller.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { RuleAction } from './actions/index.ts';
import type { Invocation } from './actions/rule-action.ts';
import type { RoleSessions } from './role-sessions.ts';
import type { Rule } from './rule.ts';
import type { CallExternal } from './sql/external-call.ts';
import type { Scope } from './sql/scope.ts';
import type { SelectedPayload } from './sql/selected-payload.ts';

/** AWS retries now and then, and does not say how often (iot/latest/developerguide/iot-rules.html). */
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 50;
const THROTTLING =
  /^(?:Throttling(?:Exception)?|ProvisionedThroughputExceededException|TooManyRequestsException|RequestLimitExceeded|SlowDown)$/;

/** One entry of the error action's document (iot/latest/developerguide/rule-error-handling.html). */
export interface Failure {
  readonly failedAction: string;
  readonly failedResource: string;
  readonly errorMessage: string;
}

export interface ActionRun {
  readonly rule: Rule;
  readonly action: RuleAction;
  readonly payload: SelectedPayload;
  readonly scope: Scope;
  readonly callExternal: CallExternal;
}

/** Runs an action; gives its failure, undefined when it has done its work. Never rejects. */
export async function runAction(kernel: Kernel, sessions: RoleSessions, run: ActionRun): Promise<Failure | undefined> {
  const { rule, action, scope } = run;
  const invocation: Invocation = {
    ruleName: rule.name,
    payload: run.payload,
    scope,
    callExternal: run.callExternal,
    call: (service, operation, input) => kernel.call(service, operation, input, callerOf(kernel, sessions, run)),
  };
  let resource = action.resource.constant ?? '';
  const harm = kernel.faults.draw('rule-action', {
    rule: rule.name,
    action: action.name,
    errorAction: action === rule.errorAction,
  });
  for (let attempt = 1; ; attempt += 1) {
    try {
      resource = await action.resource(invocation);
      if (harm?.do === 'error') return failureOf(run, resource, harmed());
      await action.run(invocation, resource);
      if (harm?.do === 'duplicate') await action.run(invocation, resource);
      return undefined;
    } catch (error) {
      if (attempt < ATTEMPTS && isTransient(error)) {
        await pause(kernel, FIRST_PAUSE_MS * 2 ** (attempt - 1));
        continue;
      }
      return failureOf(run, resource, error);
    }
  }
}

/** The role is taken anew when its session has ended; without a role AWS IoT acts as itself. */
function callerOf(kernel: Kernel, sessions: RoleSessions, { rule, action }: ActionRun): Caller {
  return action.roleArn === undefined
    ? kernel.serviceCaller('iot.amazonaws.com', rule.arn)
    : sessions.get(action.roleArn, rule.name, rule.arn);
}

function isTransient(error: unknown): boolean {
  if (!(error instanceof AwsError) || error.code === 'NotEmulated') return false;
  return error.status >= 500 || error.status === 429 || THROTTLING.test(error.code);
}

function pause(kernel: Kernel, ms: number): Promise<void> {
  return new Promise((resolve) => kernel.clock.after(ms, resolve));
}

function harmed(): AwsError {
  return new AwsError('InternalFailure', 'The fault plan wants this action to fail', 500);
}

function failureOf({ rule, action, scope }: ActionRun, resource: string, error: unknown): Failure {
  const { failedAction, failure } = action.kind;
  const message = error instanceof Error ? error.message : String(error);
  const origin = error instanceof AwsError ? ` (Status Code: ${error.status}; Error Code: ${error.code})` : '';
  const where = `Message arrived on: ${scope.message.topic}, Action: ${action.name}, Resource: ${resource}, Rule: ${rule.name}`;
  return {
    failedAction,
    failedResource: resource,
    errorMessage: `${failure}. The error received was ${message}${origin}. ${where}`,
  };
}
