import type {
  CreateBucketCommandInput,
  CreateBucketCommandOutput,
  DeleteBucketCommandInput,
  GetBucketLocationCommandInput,
  GetBucketLocationCommandOutput,
  HeadBucketCommandInput,
  HeadBucketCommandOutput,
  ListBucketsCommandOutput,
} from '@aws-sdk/client-s3';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { Bucket } from '../bucket.ts';
import type { Buckets } from '../buckets.ts';

/** "General purpose bucket naming rules", without the lists of reserved prefixes and suffixes. */
const BUCKET_NAME = /^(?!\d{1,3}(\.\d{1,3}){3}$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** The Region whose location constraint is empty. */
const FIRST_REGION = 'us-east-1';

function checkName(name: string | undefined): string {
  if (name !== undefined && BUCKET_NAME.test(name)) return name;
  throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', 400, { BucketName: name });
}

/** CreateBucket, in the Region of the runtime only. */
export function createBucket(buckets: Buckets): AnyOperation {
  const { region, clock } = buckets.kernel;
  return operation<CreateBucketCommandInput, Omit<CreateBucketCommandOutput, '$metadata'>>({
    permissions: ({ Bucket }) => [buckets.permission('CreateBucket', Bucket)],
    run({ Bucket: given, CreateBucketConfiguration, ObjectLockEnabledForBucket }) {
      const name = checkName(given);
      if (ObjectLockEnabledForBucket) {
        throw new AwsError('NotEmulated', 'The local runtime does not emulate Object Lock of s3:CreateBucket.', 501);
      }
      const constraint = CreateBucketConfiguration?.LocationConstraint;
      if ((constraint ?? FIRST_REGION) !== region) {
        throw new AwsError(
          constraint === undefined ? 'IllegalLocationConstraintException' : 'InvalidLocationConstraint',
          `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
        );
      }
      if (buckets.find(name) === undefined) buckets.add(new Bucket(name, clock.now()));
      else if (region !== FIRST_REGION) {
        throw new AwsError(
          'BucketAlreadyOwnedByYou',
          'Your previous request to create the named bucket succeeded and you already own it.',
          409,
        );
      }
      return { Location: `/${name}`, BucketArn: `arn:aws:s3:::${name}` };
    },
  });
}

/** DeleteBucket, of a bucket without any object or version. */
export function deleteBucket(buckets: Buckets): AnyOperation {
  return operation<DeleteBucketCommandInput, object>({
    permissions: ({ Bucket }) => [buckets.permission('DeleteBucket', Bucket)],
    run({ Bucket }) {
      const bucket = buckets.get(Bucket);
      if (!bucket.objects.isEmpty) {
        throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409, {
          BucketName: bucket.name,
        });
      }
      // Its expiration rules find nothing to do and end at the next midnight.
      bucket.settings.lifecycle = [];
      buckets.delete(bucket);
      return {};
    },
  });
}

/** HeadBucket: whether the bucket exists and the caller may list it. */
export function headBucket(buckets: Buckets): AnyOperation {
  return operation<HeadBucketCommandInput, Omit<HeadBucketCommandOutput, '$metadata'>>({
    permissions: ({ Bucket }) => [buckets.permission('ListBucket', Bucket)],
    run({ Bucket }) {
      const { arn } = buckets.get(Bucket);
      return { BucketArn: arn, BucketRegion: buckets.kernel.region, AccessPointAlias: false };
    },
  });
}

/** ListBuckets: all of the account. */
export function listBuckets(buckets: Buckets): AnyOperation {
  return operation<object, Omit<ListBucketsCommandOutput, '$metadata'>>({
    permissions: () => [{ action: 's3:ListAllMyBuckets', resource: '*' }],
    run: () => ({
      Owner: { ID: buckets.kernel.accountId },
      Buckets: buckets.all.map(({ name, createdAt }) => ({ Name: name, CreationDate: new Date(createdAt) })),
    }),
  });
}

/** GetBucketLocation: null stands for us-east-1. */
export function getBucketLocation(buckets: Buckets): AnyOperation {
  return operation<GetBucketLocationCommandInput, Omit<GetBucketLocationCommandOutput, '$metadata'>>({
    permissions: ({ Bucket }) => [buckets.permission('GetBucketLocation', Bucket)],
    run({ Bucket }) {
      buckets.get(Bucket);
      const { region } = buckets.kernel;
      // Any Region of the SDK's list but the first, whose constraint is empty.
      return region === FIRST_REGION ? {} : { LocationConstraint: region as 'eu-central-1' };
    },
  });
}
