/**
 * Functions that ask other services. Their calls are taken out of the expressions when a statement is compiled: they
 * run first, and the expressions, which never wait, read their results.
 */
import type { Scope } from './scope.ts';
import type { SqlObject, SqlValue } from './sql-value.ts';

export type ExternalCall =
  | { readonly name: 'aws_lambda'; readonly functionArn: string; readonly input: string }
  | { readonly name: 'get_dynamodb'; readonly table: string; readonly key: SqlObject; readonly roleArn: string }
  | {
      readonly name: 'get_thing_shadow';
      readonly thingName: string;
      readonly shadowName: string | undefined;
      readonly roleArn: string;
    }
  | {
      readonly name: 'get_registry_data';
      readonly operation: 'DescribeThing' | 'ListThingGroupsForThing';
      readonly thingName: string;
      readonly roleArn: string;
    }
  | {
      readonly name: 'get_secret';
      readonly secretId: string;
      readonly secretType: 'SecretString' | 'SecretBinary';
      /** A member of the JSON that the secret holds. */
      readonly key: string | undefined;
      readonly roleArn: string;
    };

/** Makes an external call. Rejects with whatever the other service answers. */
export type CallExternal = (call: ExternalCall) => Promise<SqlValue>;

export interface ExternalStep {
  /** Where its result stands in the scope. */
  readonly index: number;
  readonly name: ExternalCall['name'];
  /** Evaluates the arguments. Throws ExternalFailure. */
  readonly prepare: (scope: Scope) => ExternalCall;
}

/** Why an external function has no result; get_or_default catches it, otherwise the rule ends without actions. */
export class ExternalFailure extends Error {}

/** Runs calls in their order; a failed one leaves its failure where the result would be. */
export async function runExternalCalls(
  steps: readonly ExternalStep[],
  scope: Scope,
  callExternal: CallExternal,
): Promise<void> {
  for (const { index, name, prepare } of steps) {
    try {
      scope.externals[index] = await callExternal(prepare(scope));
    } catch (error) {
      scope.externals[index] =
        error instanceof ExternalFailure ? error : new ExternalFailure(`${name} failed: ${messageOf(error)}`);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
