import { notEmulated } from '../../../../kernel/errors.ts';
import type { SelectedPayload } from '../sql/selected-payload.ts';
import type { Template } from '../template.ts';
import type { ActionParameters } from './action-parameters.ts';
import { type AttributeValue, toAttribute } from './attribute-value.ts';
import type { ActionKind, Invocation } from './rule-action.ts';

const KEY_TYPES = ['STRING', 'NUMBER'] as const;

interface Key {
  readonly name: Template;
  readonly value: Template;
  readonly isNumber: boolean;
}

/**
 * Writes the payload as one attribute beside the keys
 * (https://docs.aws.amazon.com/iot/latest/developerguide/dynamodb-rule-action.html).
 */
export const dynamoDbAction: ActionKind = {
  failedAction: 'DynamoDBAction',
  actionType: 'DynamoDB',
  failure: 'Failed to insert record into DynamoDB',
  compile(parameters) {
    const resource = parameters.template('tableName');
    const payloadField = parameters.optionalTemplate('payloadField');
    const operation = parameters.optionalText('operation') ?? 'INSERT';
    if (operation !== 'INSERT') throw notEmulated('iot', `dynamoDB.operation ${operation}`);
    const keys = [keyOf(parameters, 'hashKey'), ...rangeKey(parameters)];
    return {
      roleArn: parameters.roleArn(),
      resource,
      async run(invocation, tableName) {
        const item: Record<string, AttributeValue> = {};
        for (const key of keys) item[await key.name(invocation)] = await keyValue(key, invocation);
        item[(await payloadField?.(invocation)) || 'payload'] = payloadValue(invocation.payload);
        return invocation.call('dynamodb', 'PutItem', { TableName: tableName, Item: item });
      },
    };
  },
};

function keyOf(parameters: ActionParameters, prefix: 'hashKey' | 'rangeKey'): Key {
  return {
    name: parameters.template(`${prefix}Field`),
    value: parameters.template(`${prefix}Value`),
    isNumber: parameters.word(`${prefix}Type`, KEY_TYPES) === 'NUMBER',
  };
}

function rangeKey(parameters: ActionParameters): readonly Key[] {
  const name = parameters.optionalText('rangeKeyField');
  const value = parameters.optionalText('rangeKeyValue');
  parameters.word('rangeKeyType', KEY_TYPES);
  return name === undefined && value === undefined ? [] : [keyOf(parameters, 'rangeKey')];
}

async function keyValue({ value, isNumber }: Key, invocation: Invocation): Promise<AttributeValue> {
  const text = await value(invocation);
  return isNumber ? { N: text } : { S: text };
}

/** JSON as it is, anything else as binary. */
function payloadValue(payload: SelectedPayload): AttributeValue {
  return payload.isBinary ? { B: payload.bytes.toString('base64') } : toAttribute(payload.value);
}
