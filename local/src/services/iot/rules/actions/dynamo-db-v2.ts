import { isObject } from '../sql/sql-value.ts';
import { toAttributes } from './attribute-value.ts';
import { ActionFailure, type ActionKind } from './rule-action.ts';

/**
 * Writes an item with one attribute for each member of the result
 * (https://docs.aws.amazon.com/iot/latest/developerguide/dynamodb-v2-rule-action.html).
 */
export const dynamoDbV2Action: ActionKind = {
  failedAction: 'DynamoDBv2Action',
  actionType: 'DynamoDBv2',
  failure: 'Failed to insert record into DynamoDB',
  compile(parameters) {
    const putItem = parameters.object('putItem');
    const resource = putItem.template('tableName');
    putItem.refuseOthers();
    return {
      roleArn: parameters.roleArn(),
      resource,
      run({ payload, call }, tableName) {
        if (!isObject(payload.value)) throw new ActionFailure('the payload is not a JSON object');
        return call('dynamodb', 'PutItem', { TableName: tableName, Item: toAttributes(payload.value) });
      },
    };
  },
};
