import type {
  DeleteObjectCommandInput,
  DeleteObjectCommandOutput,
  DeleteObjectsCommandInput,
  DeleteObjectsCommandOutput,
} from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation, CallContext, Permission } from '../../../kernel/service.ts';
import type { Bucket } from '../bucket.ts';
import { type Buckets, checkKey } from '../buckets.ts';
import { objectDeleted } from '../object-events.ts';

const MAX_KEYS = 1000;

type Deleted = Pick<DeleteObjectCommandOutput, 'DeleteMarker' | 'VersionId'>;

/** Removes a version for good, or, in a bucket with versions, hides the object behind a delete marker. */
function remove(
  buckets: Buckets,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
  by: CallContext,
): Deleted {
  const { versioning } = bucket.settings;
  if (versionId !== undefined) {
    const removed = bucket.objects.remove(key, versionId);
    if (removed !== undefined) objectDeleted(buckets, bucket, removed, { marker: false, reason: 'DeleteObject' }, by);
    const wasMarker = removed !== undefined && removed.content === undefined;
    return { VersionId: versionId, ...(wasMarker && { DeleteMarker: true }) };
  }
  if (versioning === undefined) {
    const removed = bucket.objects.remove(key, 'null');
    if (removed !== undefined) objectDeleted(buckets, bucket, removed, { marker: false, reason: 'DeleteObject' }, by);
    return {};
  }
  const marker = bucket.objects.add(key, undefined, buckets.kernel.clock.now(), versioning);
  objectDeleted(buckets, bucket, marker, { marker: true, reason: 'DeleteObject' }, by);
  return { DeleteMarker: true, VersionId: marker.id };
}

function permission(
  buckets: Buckets,
  bucket: string | undefined,
  key: string,
  versionId: string | undefined,
): Permission {
  return buckets.permission(versionId === undefined ? 'DeleteObject' : 'DeleteObjectVersion', bucket, key);
}

/** DeleteObject; deleting what is not there succeeds. */
export function deleteObject(buckets: Buckets): AnyOperation {
  return operation<DeleteObjectCommandInput, Deleted>({
    permissions: ({ Bucket, Key, VersionId }) => [permission(buckets, Bucket, Key ?? '', VersionId)],
    run: ({ Bucket, Key, VersionId }, context) =>
      remove(buckets, buckets.get(Bucket), checkKey(Key), VersionId, context),
  });
}

/** DeleteObjects: up to 1 000 keys; each that the caller may not delete is answered with an error in its place. */
export function deleteObjects(buckets: Buckets): AnyOperation {
  return operation<DeleteObjectsCommandInput, Omit<DeleteObjectsCommandOutput, '$metadata'>>({
    permissions: () => [],
    run(input, context) {
      const bucket = buckets.get(input.Bucket);
      const { Objects = [], Quiet = false } = input.Delete ?? {};
      if (Objects.length < 1 || Objects.length > MAX_KEYS) {
        throw new AwsError('MalformedXML', `A Delete request has 1 to ${MAX_KEYS} objects, this one ${Objects.length}`);
      }
      const deleted: NonNullable<DeleteObjectsCommandOutput['Deleted']> = [];
      const errors: NonNullable<DeleteObjectsCommandOutput['Errors']> = [];
      for (const { Key, VersionId } of Objects) {
        try {
          const key = checkKey(Key);
          buckets.kernel.iam.authorize(context, permission(buckets, input.Bucket, key, VersionId));
          const result = remove(buckets, bucket, key, VersionId, context);
          deleted.push({
            Key: key,
            ...(VersionId !== undefined && { VersionId }),
            ...(result.DeleteMarker && { DeleteMarker: true, DeleteMarkerVersionId: result.VersionId }),
          });
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          const Code = error.code === 'AccessDeniedException' ? 'AccessDenied' : error.code;
          errors.push({ Key, VersionId, Code, Message: error.message });
        }
      }
      return { ...(!Quiet && { Deleted: deleted }), ...(errors.length > 0 && { Errors: errors }) };
    },
  });
}
