import type { StreamRecord } from './shard-reader.ts';

/** The event of a Kinesis event source as JSON: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html */
export function toKinesisEvent(
  records: readonly StreamRecord[],
  source: {
    readonly shardId: string;
    readonly eventSourceArn: string;
    readonly roleArn: string;
    readonly region: string;
  },
): string {
  return JSON.stringify({
    Records: records.map(({ sequenceNumber, partitionKey, data, arrivedAt }) => ({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey,
        sequenceNumber,
        data: data.toString('base64'),
        approximateArrivalTimestamp: arrivedAt / 1000,
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `${source.shardId}:${sequenceNumber}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: source.roleArn,
      awsRegion: source.region,
      eventSourceARN: source.eventSourceArn,
    })),
  });
}
