import type {
  PutRecordCommandInput,
  PutRecordCommandOutput,
  PutRecordsCommandInput,
  PutRecordsCommandOutput,
  PutRecordsResultEntry,
} from '@aws-sdk/client-kinesis';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import { ownBytes } from '../../../kernel/own-bytes.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { increments, KINESIS_PUT_BYTES, KINESIS_RECORD_BYTES, roundedUp } from '../../../meter/increments.ts';
import { streamSignals } from '../../stream-signals.ts';
import type { Stream } from '../stream.ts';
import { invalidArgument, type Streams } from '../streams.ts';

const MAX_RECORDS = 500;
/** "Each request can be up to 10 MiB, including partition keys." */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_HASH_KEY = 2n ** 128n - 1n;

interface Entry {
  /** Bytes, or base64 text. */
  readonly Data?: unknown;
  readonly PartitionKey?: string | undefined;
  readonly ExplicitHashKey?: string | undefined;
}

interface CheckedEntry {
  readonly data: Buffer;
  readonly partitionKey: string;
  readonly hashKey: bigint | undefined;
}

function asBytes(data: unknown): Buffer {
  if (data instanceof Uint8Array) return ownBytes(data);
  if (typeof data === 'string') return ownBytes(Buffer.from(data, 'base64'));
  throw new AwsError(
    'ValidationException',
    "Value null at 'data' failed to satisfy constraint: Member must not be null",
  );
}

function checkHashKey(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^(0|[1-9]\d{0,38})$/.test(text) || BigInt(text) > MAX_HASH_KEY) {
    throw invalidArgument(
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${text}`,
    );
  }
  return BigInt(text);
}

function checkEntry({ Data, PartitionKey, ExplicitHashKey }: Entry, stream: Stream): CheckedEntry {
  const data = asBytes(Data);
  if (typeof PartitionKey !== 'string' || PartitionKey.length < 1 || PartitionKey.length > 256) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at 'partitionKey' failed to satisfy constraint: Member must have length between 1 and 256`,
    );
  }
  const bytes = data.length + Buffer.byteLength(PartitionKey, 'utf8');
  if (bytes > stream.settings.maxRecordKib * 1024) {
    throw invalidArgument(
      `Record of ${bytes} bytes exceeds the maximum record size of ${stream.settings.maxRecordKib} KiB of stream ${stream.name}`,
    );
  }
  return { data, partitionKey: PartitionKey, hashKey: checkHashKey(ExplicitHashKey) };
}

function add({ kernel }: Streams, stream: Stream, { data, partitionKey, hashKey }: CheckedEntry, now: number) {
  if (stream.settings.mode === 'ON_DEMAND') {
    kernel.meter.add('kinesisIn', stream.name, roundedUp(data.length, KINESIS_RECORD_BYTES));
  } else {
    kernel.meter.add('kinesisPut', stream.name, increments(data.length, KINESIS_PUT_BYTES));
  }
  const { shard, record } = stream.add(partitionKey, data, hashKey, now);
  return { ShardId: shard.id, SequenceNumber: record.sequenceNumber };
}

function encryption({ settings }: Stream): { EncryptionType: 'KMS' | 'NONE' } {
  return { EncryptionType: settings.keyId === undefined ? 'NONE' : 'KMS' };
}

/** PutRecord: one record; sequence numbers of a shard increase in the order of the calls. */
export function putRecord(streams: Streams): AnyOperation {
  const signals = streamSignals(streams.kernel);
  return operation<PutRecordCommandInput, Omit<PutRecordCommandOutput, '$metadata'>>({
    permissions: (input) => [streams.permission('PutRecord', input)],
    async run(input, context) {
      const stream = streams.get(input);
      const entry = checkEntry(input, stream);
      await streams.requireKey(stream, 'GenerateDataKey', context);
      const answer = add(streams, stream, entry, streams.kernel.clock.now());
      signals.added(stream.arn);
      return { ...answer, ...encryption(stream) };
    },
  });
}

/**
 * PutRecords: up to 500 records. A record that is not taken is answered in its place with an error code, and
 * FailedRecordCount counts it; here no shard throttles, so a valid request has none.
 */
export function putRecords(streams: Streams): AnyOperation {
  const signals = streamSignals(streams.kernel);
  return operation<PutRecordsCommandInput, Omit<PutRecordsCommandOutput, '$metadata'>>({
    permissions: (input) => [streams.permission('PutRecords', input)],
    async run(input, context) {
      const stream = streams.get(input);
      const entries = input.Records ?? [];
      if (entries.length < 1 || entries.length > MAX_RECORDS) {
        throw new AwsError(
          'ValidationException',
          `1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length less than or equal to ${MAX_RECORDS} and greater than or equal to 1`,
        );
      }
      const checked = entries.map((entry) => checkEntry(entry, stream));
      const bytes = checked.reduce((sum, { data, partitionKey }) => sum + data.length + partitionKey.length, 0);
      if (bytes > MAX_REQUEST_BYTES) {
        throw invalidArgument(`Records size exceeds 10 MiB limit: the request has ${bytes} bytes`);
      }
      await streams.requireKey(stream, 'GenerateDataKey', context);
      const now = streams.kernel.clock.now();
      const records: PutRecordsResultEntry[] = checked.map((entry) => add(streams, stream, entry, now));
      signals.added(stream.arn);
      return { FailedRecordCount: 0, Records: records, ...encryption(stream) };
    },
  });
}
