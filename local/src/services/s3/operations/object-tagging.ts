import type {
  DeleteObjectTaggingCommandInput,
  GetObjectTaggingCommandInput,
  PutObjectTaggingCommandInput,
  Tag,
} from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation, CallContext } from '../../../kernel/service.ts';
import type { Buckets } from '../buckets.ts';
import { objectTagged } from '../object-events.ts';
import { checkTags } from '../tagging.ts';

interface Address {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
}

/** The operations on the tags of an object. Tags are kept beside the object: its body and entity tag stay the same. */
export function objectTagging(buckets: Buckets): Readonly<Record<string, AnyOperation>> {
  const permission =
    (verb: string) =>
    ({ Bucket, Key, VersionId }: Address) => [
      buckets.permission(`${verb}Object${VersionId === undefined ? '' : 'Version'}Tagging`, Bucket, Key ?? ''),
    ];
  const find = ({ Bucket, Key, VersionId }: Address, context: CallContext) => {
    const { version, content } = buckets.object(Bucket, Key, VersionId, context);
    const bucket = buckets.get(Bucket);
    const versioned = bucket.settings.versioning !== undefined;
    return { bucket, version, content, answer: versioned ? { VersionId: version.id } : {} };
  };
  return {
    GetObjectTagging: operation<GetObjectTaggingCommandInput, { TagSet: Tag[]; VersionId?: string }>({
      permissions: permission('Get'),
      run(input, context) {
        const { content, answer } = find(input, context);
        return { ...answer, TagSet: Array.from(content.tags, ([Key, Value]) => ({ Key, Value })) };
      },
    }),
    PutObjectTagging: operation<PutObjectTaggingCommandInput, { VersionId?: string }>({
      permissions: permission('Put'),
      run(input, context) {
        const { bucket, version, content, answer } = find(input, context);
        content.tags = checkTags(input.Tagging?.TagSet ?? []);
        objectTagged(buckets, bucket, version, 'Put', context);
        return answer;
      },
    }),
    DeleteObjectTagging: operation<DeleteObjectTaggingCommandInput, { VersionId?: string }>({
      permissions: permission('Delete'),
      run(input, context) {
        const { bucket, version, content, answer } = find(input, context);
        content.tags = new Map();
        objectTagged(buckets, bucket, version, 'Delete', context);
        return answer;
      },
    }),
  };
}
