import type { PutRecordBatchOutput } from '@aws-sdk/client-firehose';
import { toJsonText } from '../sql/json.ts';
import { isArray } from '../sql/sql-value.ts';
import { ActionFailure, type ActionKind } from './rule-action.ts';

const SEPARATORS = ['\n', '\t', '\r\n', ','] as const;
const MAX_RECORDS = 500;

/** Writes one record, or in batch mode one for each element (iot/latest/developerguide/kinesis-firehose-rule-action.html). */
export const firehoseAction: ActionKind = {
  failedAction: 'FirehoseAction',
  actionType: 'Firehose',
  failure: 'Failed to publish Firehose record',
  compile(parameters) {
    const separator = Buffer.from(parameters.word('separator', SEPARATORS) ?? '');
    const batchMode = parameters.boolean('batchMode');
    const record = (bytes: Buffer) => ({ Data: separator.length > 0 ? Buffer.concat([bytes, separator]) : bytes });
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('deliveryStreamName'),
      async run({ payload, call }, streamName) {
        const { value } = payload;
        if (!batchMode || !isArray(value)) {
          await call('firehose', 'PutRecord', { DeliveryStreamName: streamName, Record: record(payload.bytes) });
          return;
        }
        if (value.length > MAX_RECORDS) throw new ActionFailure(`a batch has at most ${MAX_RECORDS} records`);
        const records = value.map((each) => record(Buffer.from(toJsonText(each))));
        const input = { DeliveryStreamName: streamName, Records: records };
        const { FailedPutCount } = await call<PutRecordBatchOutput>('firehose', 'PutRecordBatch', input);
        if (FailedPutCount) throw new ActionFailure(`${FailedPutCount} of ${records.length} records were refused`);
      },
    };
  },
};
