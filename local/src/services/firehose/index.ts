import { jsonProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { DeliveryStreams } from './delivery-streams.ts';
import { createDeliveryStream } from './operations/create-delivery-stream.ts';
import { deliveryStreamOperations } from './operations/delivery-streams.ts';
import { putRecord, putRecordBatch } from './operations/put-records.ts';
import { updateDestination } from './operations/update-destination.ts';

/** Data Firehose: direct puts, delivered to S3. */
export function createFirehoseService(kernel: Kernel): Service {
  const streams = new DeliveryStreams(kernel);
  return {
    name: 'firehose',
    signingNames: ['firehose'],
    protocols: [
      jsonProtocol({
        version: '1.1',
        targetPrefix: 'Firehose_20150804',
        inputTypes: { PutRecord: { 'Record.Data': 'blob' }, PutRecordBatch: { 'Records.Data': 'blob' } },
      }),
    ],
    operations: {
      ...deliveryStreamOperations(streams),
      CreateDeliveryStream: createDeliveryStream(streams),
      PutRecord: putRecord(streams),
      PutRecordBatch: putRecordBatch(streams),
      UpdateDestination: updateDestination(streams),
    },
    state: streams,
  };
}
