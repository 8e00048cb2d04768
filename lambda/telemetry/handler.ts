import type { KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { processBatch } from './domain.ts';
import type { Ports } from './ports.ts';

/**
 * The handler of the telemetry stream. It answers the record from which the batch must come again; of several, Lambda would
 * take the first one: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export function createHandler(ports: Ports): (event: KinesisStreamEvent) => Promise<KinesisStreamBatchResponse> {
  return async ({ Records }) => {
    const records = Records.map(({ eventID, kinesis }) => ({
      // `shardId-000000000000:4959...`
      shardId: eventID.slice(0, eventID.indexOf(':')),
      sequenceNumber: kinesis.sequenceNumber,
      data: Buffer.from(kinesis.data, 'base64'),
    }));
    const itemIdentifier = await processBatch(records, ports);
    return { batchItemFailures: itemIdentifier === undefined ? [] : [{ itemIdentifier }] };
  };
}
