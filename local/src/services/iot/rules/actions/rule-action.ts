import type { SelectedPayload } from '../sql/selected-payload.ts';
import type { Template, TemplateInput } from '../template.ts';
import type { ActionParameters } from './action-parameters.ts';

/** One run of an action for one message. */
export interface Invocation extends TemplateInput {
  readonly ruleName: string;
  /** What SELECT has made, or the document of the error action. */
  readonly payload: SelectedPayload;
  /** Calls another service with the action's role, or as AWS IoT itself when it has none. */
  call<Output = unknown>(service: string, operation: string, input: unknown): Promise<Output>;
}

export interface CompiledAction {
  /** The role that AWS IoT takes; undefined where the resource's own policy decides. */
  readonly roleArn: string | undefined;
  /** What the action works on; a failure names it as `failedResource`. */
  readonly resource: Template;
  /** The confirmation URL of the destination that the action needs, where it is known when the rule is created. */
  readonly destinationUrl?: string | undefined;
  /** True when several messages may go together: then it is counted where they go. */
  readonly isBatched?: boolean;
  /** Rejects with what the other service answers, or with ActionFailure. */
  run(invocation: Invocation, resource: string): Promise<unknown>;
}

/** A kind of action (https://docs.aws.amazon.com/iot/latest/developerguide/iot-rule-actions.html). */
export interface ActionKind {
  /** What the document of the error action calls it: `S3Action`. */
  readonly failedAction: string;
  /** The value of the metric dimension ActionType: AWS lists none, these are the titles of the pages on actions. */
  readonly actionType: string;
  /** How a message about a failure begins: `Failed to put S3 object`. */
  readonly failure: string;
  /** Reads and checks the parameters. Throws InvalidRequestException or SqlParseException. */
  compile(parameters: ActionParameters): CompiledAction;
}

/** An action that cannot do its work with this payload. */
export class ActionFailure extends Error {}
