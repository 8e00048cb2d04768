import type {
  AddTagsToStreamCommandInput,
  DecreaseStreamRetentionPeriodCommandInput,
  IncreaseStreamRetentionPeriodCommandInput,
  ListTagsForResourceCommandInput,
  ListTagsForStreamCommandInput,
  RemoveTagsFromStreamCommandInput,
  StartStreamEncryptionCommandInput,
  StopStreamEncryptionCommandInput,
  Tag,
  TagResourceCommandInput,
  UntagResourceCommandInput,
  UpdateMaxRecordSizeCommandInput,
} from '@aws-sdk/client-kinesis';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Stream } from '../stream.ts';
import { invalidArgument, type Streams } from '../streams.ts';
import { checkRecordSize } from './create-stream.ts';

const MIN_HOURS = 24;
const MAX_HOURS = 8760;

function checkHours(hours: number | undefined): number {
  if (hours !== undefined && Number.isInteger(hours) && hours >= MIN_HOURS && hours <= MAX_HOURS) return hours;
  throw invalidArgument(`RetentionPeriodHours must be between ${MIN_HOURS} and ${MAX_HOURS}, got ${hours}`);
}

/** IncreaseStreamRetentionPeriod, up to 365 days. */
export function increaseStreamRetentionPeriod(streams: Streams): AnyOperation {
  return operation<IncreaseStreamRetentionPeriodCommandInput, object>({
    permissions: (input) => [streams.permission('IncreaseStreamRetentionPeriod', input)],
    run(input) {
      const { settings } = streams.get(input);
      const hours = checkHours(input.RetentionPeriodHours);
      if (hours < settings.retentionHours) {
        throw invalidArgument(
          `Requested retention period (${hours} hours) for stream must be longer than the current ${settings.retentionHours} hours.`,
        );
      }
      settings.retentionHours = hours;
      return {};
    },
  });
}

/** DecreaseStreamRetentionPeriod, down to 24 hours: older records are no longer readable at once. */
export function decreaseStreamRetentionPeriod(streams: Streams): AnyOperation {
  return operation<DecreaseStreamRetentionPeriodCommandInput, object>({
    permissions: (input) => [streams.permission('DecreaseStreamRetentionPeriod', input)],
    run(input) {
      const { settings } = streams.get(input);
      const hours = checkHours(input.RetentionPeriodHours);
      if (hours > settings.retentionHours) {
        throw invalidArgument(
          `Requested retention period (${hours} hours) for stream must be shorter than the current ${settings.retentionHours} hours.`,
        );
      }
      settings.retentionHours = hours;
      return {};
    },
  });
}

/** UpdateMaxRecordSize: 1 to 10 MiB per record. */
export function updateMaxRecordSize(streams: Streams): AnyOperation {
  return operation<UpdateMaxRecordSizeCommandInput, object>({
    permissions: ({ StreamARN }) => [streams.permission('UpdateMaxRecordSize', { StreamARN })],
    run({ StreamARN, MaxRecordSizeInKiB }) {
      streams.get({ StreamARN }).settings.maxRecordKib = checkRecordSize(MaxRecordSizeInKiB);
      return {};
    },
  });
}

/** StartStreamEncryption: who puts and gets records has to be allowed to use the key; nothing is encrypted in this process. */
export function startStreamEncryption(streams: Streams): AnyOperation {
  return operation<StartStreamEncryptionCommandInput, object>({
    permissions: (input) => [streams.permission('StartStreamEncryption', input)],
    run(input) {
      if (input.EncryptionType !== 'KMS' || !input.KeyId)
        throw invalidArgument('Encryption needs type KMS and a KeyId');
      streams.get(input).settings.keyId = input.KeyId;
      return {};
    },
  });
}

/** StopStreamEncryption. */
export function stopStreamEncryption(streams: Streams): AnyOperation {
  return operation<StopStreamEncryptionCommandInput, object>({
    permissions: (input) => [streams.permission('StopStreamEncryption', input)],
    run(input) {
      streams.get(input).settings.keyId = undefined;
      return {};
    },
  });
}

function tagsOf({ tags }: Stream): Tag[] {
  return Array.from(tags, ([Key, Value]) => ({ Key, Value }));
}

function addTags({ tags }: Stream, added: Readonly<Record<string, string>> | undefined): object {
  for (const [key, value] of Object.entries(added ?? {})) tags.set(key, value);
  if (tags.size > 50) throw invalidArgument('A stream can have at most 50 tags');
  return {};
}

function removeTags({ tags }: Stream, keys: readonly string[] | undefined): object {
  for (const key of keys ?? []) tags.delete(key);
  return {};
}

/** The operations on tags, by stream and by ARN. */
export function tagOperations(streams: Streams): Readonly<Record<string, AnyOperation>> {
  return {
    AddTagsToStream: operation<AddTagsToStreamCommandInput, object>({
      permissions: (input) => [streams.permission('AddTagsToStream', input)],
      run: (input) => addTags(streams.get(input), input.Tags),
    }),
    RemoveTagsFromStream: operation<RemoveTagsFromStreamCommandInput, object>({
      permissions: (input) => [streams.permission('RemoveTagsFromStream', input)],
      run: (input) => removeTags(streams.get(input), input.TagKeys),
    }),
    ListTagsForStream: operation<ListTagsForStreamCommandInput, { Tags: Tag[]; HasMoreTags: boolean }>({
      permissions: (input) => [streams.permission('ListTagsForStream', input)],
      run: (input) => ({ Tags: tagsOf(streams.get(input)), HasMoreTags: false }),
    }),
    TagResource: operation<TagResourceCommandInput, object>({
      permissions: ({ ResourceARN }) => [streams.permission('TagResource', { StreamARN: ResourceARN })],
      run: ({ ResourceARN, Tags }) => addTags(streams.get({ StreamARN: ResourceARN }), Tags),
    }),
    UntagResource: operation<UntagResourceCommandInput, object>({
      permissions: ({ ResourceARN }) => [streams.permission('UntagResource', { StreamARN: ResourceARN })],
      run: ({ ResourceARN, TagKeys }) => removeTags(streams.get({ StreamARN: ResourceARN }), TagKeys),
    }),
    ListTagsForResource: operation<ListTagsForResourceCommandInput, { Tags: Tag[] }>({
      permissions: ({ ResourceARN }) => [streams.permission('ListTagsForResource', { StreamARN: ResourceARN })],
      run: ({ ResourceARN }) => ({ Tags: tagsOf(streams.get({ StreamARN: ResourceARN })) }),
    }),
  };
}
