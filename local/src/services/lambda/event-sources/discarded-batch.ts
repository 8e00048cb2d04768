import { randomUUID } from 'node:crypto';
import type { Kernel } from '../../../kernel/kernel.ts';
import { sendToDestination } from '../destinations.ts';
import type { Invocation, Invoker } from '../invoker.ts';
import type { EventSourceMapping } from './event-source-mapping.ts';
import type { StreamRecord, StreamSource } from './stream-source.ts';

export type DiscardCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

export interface DiscardedBatch {
  readonly records: readonly StreamRecord[];
  readonly batchInfo: StreamSource['batchInfo'];
  readonly shardId: string;
  readonly condition: DiscardCondition;
  readonly invocations: number;
  readonly lastResult: Invocation | undefined;
}

/**
 * Tells the failure destination which records were given up: their position in the stream, not their content.
 * https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export async function sendDiscarded(
  kernel: Kernel,
  invoker: Invoker,
  { settings }: EventSourceMapping,
  destination: string | undefined,
  batch: DiscardedBatch,
): Promise<void> {
  const { fn, eventSourceArn } = settings;
  const [first, last] = [batch.records[0], batch.records.at(-1)];
  if (!first || !last) return;
  const position = {
    shardId: batch.shardId,
    startSequenceNumber: first.sequenceNumber,
    endSequenceNumber: last.sequenceNumber,
    approximateArrivalOfFirstRecord: new Date(first.arrivedAt).toISOString(),
    approximateArrivalOfLastRecord: new Date(last.arrivedAt).toISOString(),
    batchSize: batch.records.length,
    streamArn: eventSourceArn,
  };
  const details = { function: fn.configuration.name, condition: batch.condition, ...position };
  kernel.log.warn('Lambda gave up records of a stream', details);
  if (destination === undefined) return;
  const body = JSON.stringify({
    requestContext: {
      requestId: randomUUID(),
      functionArn: `${fn.arn}:$LATEST`,
      condition: batch.condition,
      approximateInvokeCount: batch.invocations,
    },
    ...(batch.lastResult && {
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        ...(batch.lastResult.failed && { functionError: 'Unhandled' }),
      },
    }),
    version: '1.0',
    timestamp: new Date(kernel.clock.now()).toISOString(),
    [batch.batchInfo]: position,
  });
  try {
    await sendToDestination(kernel, destination, fn.assumeRole(), { body, functionArn: fn.arn });
  } catch (error) {
    invoker.record(fn, { DestinationDeliveryFailures: 1 });
    kernel.log.error('Lambda could not send to a destination', { ...details, destination, error });
  }
}
