import { randomBytes } from 'node:crypto';
import type {
  PutRecordBatchCommandInput,
  PutRecordBatchCommandOutput,
  PutRecordCommandInput,
  PutRecordCommandOutput,
} from '@aws-sdk/client-firehose';
import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import { ownBytes } from '../../../kernel/own-bytes.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { DeliveryStream } from '../delivery-stream.ts';
import type { DeliveryStreams } from '../delivery-streams.ts';

/** "The maximum size of a record, before base64-encoding, is 1 000 KiB." */
const MAX_RECORD_BYTES = 1000 * 1024;
const MAX_RECORDS = 500;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Bytes, or base64 text. */
function bytesOf(record: { readonly Data?: unknown } | undefined): Buffer {
  const data = record?.Data;
  const bytes = data instanceof Uint8Array ? data : Buffer.from(typeof data === 'string' ? data : '', 'base64');
  if (data === undefined) throw invalid('A record must have Data', 'InvalidArgumentException');
  if (bytes.length <= MAX_RECORD_BYTES) return ownBytes(bytes);
  throw invalid(
    `1 validation error detected: Value at 'record.data' failed to satisfy constraint: Member must have length less than or equal to ${MAX_RECORD_BYTES}`,
  );
}

function recordId(): string {
  return randomBytes(112).toString('base64url');
}

function encrypted({ encryption }: DeliveryStream): { Encrypted: boolean } {
  return { Encrypted: encryption.Status === 'ENABLED' };
}

/** PutRecord. */
export function putRecord(streams: DeliveryStreams): AnyOperation {
  return operation<PutRecordCommandInput, Omit<PutRecordCommandOutput, '$metadata'>>({
    permissions: ({ DeliveryStreamName }) => [streams.permission('PutRecord', DeliveryStreamName)],
    run({ DeliveryStreamName, Record }) {
      const stream = streams.get(DeliveryStreamName);
      stream.add(bytesOf(Record));
      return { RecordId: recordId(), ...encrypted(stream) };
    },
  });
}

/** PutRecordBatch: up to 500 records and 4 MiB. Nothing throttles here, so no record of a valid request fails. */
export function putRecordBatch(streams: DeliveryStreams): AnyOperation {
  return operation<PutRecordBatchCommandInput, Omit<PutRecordBatchCommandOutput, '$metadata'>>({
    permissions: ({ DeliveryStreamName }) => [streams.permission('PutRecordBatch', DeliveryStreamName)],
    run({ DeliveryStreamName, Records = [] }) {
      const stream = streams.get(DeliveryStreamName);
      if (Records.length < 1 || Records.length > MAX_RECORDS) {
        throw invalid(
          `1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length less than or equal to ${MAX_RECORDS} and greater than or equal to 1`,
        );
      }
      const records = Records.map(bytesOf);
      const bytes = records.reduce((sum, { length }) => sum + length, 0);
      if (bytes > MAX_BATCH_BYTES) {
        throw invalid(`Records size exceeds 4 MB limit: the request has ${bytes} bytes`, 'InvalidArgumentException');
      }
      for (const record of records) stream.add(record);
      return {
        FailedPutCount: 0,
        RequestResponses: records.map(() => ({ RecordId: recordId() })),
        ...encrypted(stream),
      };
    },
  });
}
