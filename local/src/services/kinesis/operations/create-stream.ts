import type { CreateStreamCommandInput } from '@aws-sdk/client-kinesis';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { Stream } from '../stream.ts';
import { invalidArgument, type Streams } from '../streams.ts';

/** "A new on-demand data stream has four shards." */
const ON_DEMAND_SHARDS = 4;
const MAX_SHARDS = 10_000;

/** @throws AwsError InvalidArgumentException outside of 1 024 to 10 240 KiB */
export function checkRecordSize(kib: number | undefined): number {
  const size = kib ?? 1024;
  if (size >= 1024 && size <= 10_240) return size;
  throw invalidArgument(`MaxRecordSizeInKiB must be between 1024 and 10240, got ${size}`);
}

/** CreateStream. The stream is ACTIVE at once. */
export function createStream(streams: Streams): AnyOperation {
  return operation<CreateStreamCommandInput, object>({
    permissions: (input) => [
      streams.permission('CreateStream', { StreamName: input.StreamName }),
      ...(input.Tags === undefined ? [] : [streams.permission('TagResource', { StreamName: input.StreamName })]),
    ],
    run(input) {
      if (input.WarmThroughputMiBps !== undefined) {
        throw new AwsError('NotEmulated', 'WarmThroughputMiBps of kinesis:CreateStream is not emulated.', 501);
      }
      const name = streams.nameIn({ StreamName: input.StreamName });
      const mode = input.StreamModeDetails?.StreamMode ?? 'PROVISIONED';
      if (mode === 'ON_DEMAND' && input.ShardCount !== undefined) {
        throw new AwsError('ValidationException', 'ShardCount cannot be specified for an ON_DEMAND stream.');
      }
      const shards = mode === 'ON_DEMAND' ? ON_DEMAND_SHARDS : (input.ShardCount ?? 0);
      if (!Number.isInteger(shards) || shards < 1 || shards > MAX_SHARDS) {
        throw invalidArgument(`ShardCount must be between 1 and ${MAX_SHARDS}, got ${input.ShardCount}`);
      }
      const stream = new Stream(name, streams.arn(name), streams.kernel.clock.now(), shards, {
        mode,
        retentionHours: 24,
        keyId: undefined,
        maxRecordKib: checkRecordSize(input.MaxRecordSizeInKiB),
      });
      for (const [key, value] of Object.entries(input.Tags ?? {})) stream.tags.set(key, value);
      streams.add(stream);
      return {};
    },
  });
}
