/** Filter policies of subscriptions: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html */
import { AwsError } from '../../kernel/errors.ts';
import { compileEventPattern } from '../events/event-pattern.ts';
import { invalidParameter } from './errors.ts';
import type { MessageAttributes, PublishedMessage } from './message.ts';

export type FilterPolicyScope = 'MessageAttributes' | 'MessageBody';

/** True for a message that the subscription wants. */
export type MessageFilter = (message: PublishedMessage, protocol: string) => boolean;

const MAX_KEYS = 5;

/** @throws AwsError InvalidParameter that names the place; NotEmulated operators are named too */
export function compileFilterPolicy(text: string, scope: FilterPolicyScope): MessageFilter {
  const policy = objectIn(text);
  if (Object.keys(policy).length === 0) return () => true;
  if (scope === 'MessageAttributes') {
    if (Object.keys(policy).length > MAX_KEYS) throw invalidParameter(`FilterPolicy: at most ${MAX_KEYS} keys`);
    const nested = Object.entries(policy).find(([name, value]) => name !== '$or' && !Array.isArray(value));
    if (nested) throw invalidParameter(`FilterPolicy: "${nested[0]}" must be an object or an array`);
  }
  const matches = compile(text);
  return scope === 'MessageAttributes'
    ? ({ attributes }) => matches(valuesOf(attributes ?? {}))
    : (message, protocol) => {
        try {
          const body: unknown = JSON.parse(message.text(protocol));
          return typeof body === 'object' && body !== null && matches(body);
        } catch {
          // A body that is no JSON matches no policy.
          return false;
        }
      };
}

function compile(text: string): (value: unknown) => boolean {
  try {
    return compileEventPattern(text);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw invalidParameter(`FilterPolicy: ${error.message.replace('Event pattern is not valid. Reason: ', '')}`);
  }
}

function objectIn(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw invalidParameter('FilterPolicy: failed to parse JSON');
}

/** Binary attributes cannot be filtered by. */
function valuesOf(attributes: MessageAttributes): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, { DataType = '', StringValue = '' }] of Object.entries(attributes)) {
    if (DataType === 'String.Array') values[name] = arrayIn(StringValue);
    else if (DataType.startsWith('Number')) values[name] = Number(StringValue);
    else if (DataType.startsWith('String')) values[name] = StringValue;
  }
  return values;
}

function arrayIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
