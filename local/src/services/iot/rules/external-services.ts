/** What the external functions of SQL ask other services, with the role that each names. */

import { toJson } from '../../../http/protocols/index.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { type Attributes, fromAttributes, toAttributes } from './actions/attribute-value.ts';
import type { RoleSessions } from './role-sessions.ts';
import type { Rule } from './rule.ts';
import { SecretCache } from './secret-cache.ts';
import type { CallExternal, ExternalCall } from './sql/external-call.ts';
import { parseJson } from './sql/json.ts';
import type { SqlValue } from './sql/sql-value.ts';

/** The longest that a function may take (iot-sql-functions.html#iot-func-aws-lambda), in milliseconds. */
const MAX_LAMBDA_MS = 2000;

type Named<Name extends ExternalCall['name']> = Extract<ExternalCall, { readonly name: Name }>;

/** The external functions for the SQL of one rule. */
export function externalServices(kernel: Kernel, sessions: RoleSessions): (rule: Rule) => CallExternal {
  const secrets = new SecretCache(kernel, sessions);
  return (rule) => (call) => {
    switch (call.name) {
      case 'aws_lambda':
        return invoke(kernel, rule, call);
      case 'get_dynamodb':
        return getItem(kernel, rule, sessions, call);
      case 'get_thing_shadow':
        return getShadow(kernel, rule, sessions, call);
      case 'get_registry_data':
        return describe(kernel, rule, sessions, call);
      case 'get_secret':
        return secrets.get(rule, call);
    }
  };
}

interface Invoked {
  readonly FunctionError?: string;
  readonly Payload?: Uint8Array | string;
}

/** AWS IoT invokes as itself: the function's policy has to allow it. */
async function invoke(kernel: Kernel, { arn }: Rule, { functionArn, input }: Named<'aws_lambda'>): Promise<SqlValue> {
  const startedAt = performance.now();
  const { FunctionError, Payload } = await kernel.call<Invoked>(
    'lambda',
    'Invoke',
    { FunctionName: functionArn, InvocationType: 'RequestResponse', Payload: Buffer.from(input) },
    kernel.serviceCaller('iot.amazonaws.com', arn),
  );
  const text = Payload === undefined ? '' : Buffer.from(Payload).toString('utf8');
  if (FunctionError !== undefined) throw new Error(`${functionArn} ended with an error: ${text}`);
  if (performance.now() - startedAt > MAX_LAMBDA_MS) {
    throw new Error(`${functionArn} took longer than ${MAX_LAMBDA_MS} milliseconds`);
  }
  try {
    return parseJson(text);
  } catch {
    throw new Error(`${functionArn} has not answered with JSON`);
  }
}

/** An item that does not exist is Undefined. */
async function getItem(
  kernel: Kernel,
  { name, arn }: Rule,
  sessions: RoleSessions,
  { table, key, roleArn }: Named<'get_dynamodb'>,
): Promise<SqlValue> {
  const input = { TableName: table, Key: toAttributes(key) };
  const caller = sessions.get(roleArn, name, arn);
  const { Item } = await kernel.call<{ readonly Item?: Attributes }>('dynamodb', 'GetItem', input, caller);
  return Item && fromAttributes(Item);
}

/** A shadow that does not exist is Undefined. */
async function getShadow(
  kernel: Kernel,
  { name, arn }: Rule,
  sessions: RoleSessions,
  { thingName, shadowName, roleArn }: Named<'get_thing_shadow'>,
): Promise<SqlValue> {
  const input = { thingName, ...(shadowName !== undefined && { shadowName }) };
  const caller = sessions.get(roleArn, name, arn);
  try {
    const answer = await kernel.call<{ readonly payload: Uint8Array }>('iot-data', 'GetThingShadow', input, caller);
    return parseJson(Buffer.from(answer.payload).toString('utf8'));
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

async function describe(
  kernel: Kernel,
  { name, arn }: Rule,
  sessions: RoleSessions,
  { operation, thingName, roleArn }: Named<'get_registry_data'>,
): Promise<SqlValue> {
  const answer = await kernel.call('iot', operation, { thingName }, sessions.get(roleArn, name, arn));
  // The same JSON that the operation has on the wire.
  return parseJson(toJson(answer));
}
