import { randomUUID } from 'node:crypto';
import type { ActionKind } from './rule-action.ts';

/** Writes a record (https://docs.aws.amazon.com/iot/latest/developerguide/kinesis-rule-action.html). */
export const kinesisAction: ActionKind = {
  failedAction: 'KinesisAction',
  actionType: 'Kinesis',
  failure: 'Failed to publish Kinesis record',
  compile(parameters) {
    const partitionKey = parameters.optionalTemplate('partitionKey');
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('streamName'),
      async run(invocation, streamName) {
        // Without a partition key AWS distributes the records.
        const key = partitionKey ? await partitionKey(invocation) : randomUUID();
        const input = { StreamName: streamName, PartitionKey: key, Data: invocation.payload.bytes };
        return invocation.call('kinesis', 'PutRecord', input);
      },
    };
  },
};
