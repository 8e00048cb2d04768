import { jsonProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { createStream } from './operations/create-stream.ts';
import { getRecords, getShardIterator } from './operations/get-records.ts';
import { putRecord, putRecords } from './operations/put-records.ts';
import {
  decreaseStreamRetentionPeriod,
  increaseStreamRetentionPeriod,
  startStreamEncryption,
  stopStreamEncryption,
  tagOperations,
  updateMaxRecordSize,
} from './operations/stream-settings.ts';
import { deleteStream, describeStream, describeStreamSummary, listShards, listStreams } from './operations/streams.ts';
import { Streams } from './streams.ts';

/** Kinesis Data Streams. Shards neither throttle nor split; event sources listen to `streamSignals(kernel)`. */
export function createKinesisService(kernel: Kernel): Service {
  const streams = new Streams(kernel);
  return {
    name: 'kinesis',
    signingNames: ['kinesis'],
    protocols: [
      jsonProtocol({
        version: '1.1',
        targetPrefix: 'Kinesis_20131202',
        inputTypes: {
          PutRecord: { Data: 'blob' },
          PutRecords: { 'Records.Data': 'blob' },
          GetShardIterator: { Timestamp: 'timestamp' },
        },
      }),
    ],
    operations: {
      ...tagOperations(streams),
      CreateStream: createStream(streams),
      DecreaseStreamRetentionPeriod: decreaseStreamRetentionPeriod(streams),
      DeleteStream: deleteStream(streams),
      DescribeStream: describeStream(streams),
      DescribeStreamSummary: describeStreamSummary(streams),
      GetRecords: getRecords(streams),
      GetShardIterator: getShardIterator(streams),
      IncreaseStreamRetentionPeriod: increaseStreamRetentionPeriod(streams),
      ListShards: listShards(streams),
      ListStreams: listStreams(streams),
      PutRecord: putRecord(streams),
      PutRecords: putRecords(streams),
      StartStreamEncryption: startStreamEncryption(streams),
      StopStreamEncryption: stopStreamEncryption(streams),
      UpdateMaxRecordSize: updateMaxRecordSize(streams),
    },
    state: streams,
  };
}
