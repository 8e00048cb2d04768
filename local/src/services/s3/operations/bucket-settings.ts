import type {
  DeleteBucketPolicyCommandInput,
  GetBucketEncryptionCommandInput,
  GetBucketPolicyCommandInput,
  GetBucketVersioningCommandInput,
  GetPublicAccessBlockCommandInput,
  PublicAccessBlockConfiguration,
  PutBucketEncryptionCommandInput,
  PutBucketLifecycleConfigurationCommandInput,
  PutBucketLoggingCommandInput,
  PutBucketOwnershipControlsCommandInput,
  PutBucketPolicyCommandInput,
  PutBucketTaggingCommandInput,
  PutBucketVersioningCommandInput,
  PutPublicAccessBlockCommandInput,
  ServerSideEncryptionConfiguration,
} from '@aws-sdk/client-s3';
import { checkResourcePolicy } from '../../../iam/check-resource-policy.ts';
import type { PolicyDocument, PolicyStatement } from '../../../iam/policy-document.ts';
import { operation } from '../../../kernel/define.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import type { Bucket, BucketSettings } from '../bucket.ts';
import type { Buckets } from '../buckets.ts';

/** "Bucket policies are limited to 20 KB in size." */
const MAX_POLICY_BYTES = 20 * 1024;

type Settings = { readonly [Name in keyof BucketSettings]?: BucketSettings[Name] };

/** An operation that changes settings of a bucket. */
function change<Input extends { readonly Bucket?: string | undefined }>(
  buckets: Buckets,
  action: string,
  settingsOf: (input: Input, bucket: Bucket) => Settings,
): AnyOperation {
  return operation<Input, object>({
    permissions: ({ Bucket }) => [buckets.permission(action, Bucket)],
    run(input) {
      const bucket = buckets.get(input.Bucket);
      Object.assign(bucket.settings, settingsOf(input, bucket));
      return {};
    },
  });
}

/** An operation that answers a setting of a bucket. */
function read<Input extends { readonly Bucket?: string | undefined }, Output>(
  buckets: Buckets,
  action: string,
  answer: (bucket: Bucket) => Output,
): AnyOperation {
  return operation<Input, Output>({
    permissions: ({ Bucket }) => [buckets.permission(action, Bucket)],
    run: ({ Bucket }) => answer(buckets.get(Bucket)),
  });
}

function isPublic({ Effect, Principal, Condition }: PolicyStatement): boolean {
  if (Effect !== 'Allow' || Condition !== undefined) return false;
  const named = Principal === undefined || Principal === '*' ? [Principal] : [Principal.AWS].flat();
  return named.includes('*');
}

function parsePolicy(text: string | undefined, bucket: Bucket): BucketSettings['policy'] {
  if (text === undefined || Buffer.byteLength(text) > MAX_POLICY_BYTES) {
    throw new AwsError('MalformedPolicy', 'A bucket policy has 1 byte to 20 KB');
  }
  let document: PolicyDocument;
  try {
    document = JSON.parse(text) as PolicyDocument;
  } catch {
    throw new AwsError('MalformedPolicy', 'This policy contains invalid Json');
  }
  checkResourcePolicy(document, (detail) => new AwsError('MalformedPolicy', detail));
  const statements = [document.Statement ?? []].flat();
  const foreign = statements
    .flatMap(({ Resource = [] }) => Resource)
    .find((each) => each !== bucket.arn && !each.startsWith(`${bucket.arn}/`) && each !== `${bucket.arn}*`);
  if (statements.length === 0 || statements.some(({ Principal, NotPrincipal }) => !Principal && !NotPrincipal)) {
    throw new AwsError('MalformedPolicy', 'Missing required field Principal');
  }
  if (foreign !== undefined) throw new AwsError('MalformedPolicy', `Policy has invalid resource: ${foreign}`);
  if (bucket.settings.publicAccessBlock?.BlockPublicPolicy && statements.some(isPublic)) {
    throw new AwsError(
      'AccessDenied',
      'The policy is public, and public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.',
      403,
    );
  }
  return { text, document };
}

/** The operations on the settings of buckets: what templates declare, and what is read back. */
export function bucketSettings(buckets: Buckets): Readonly<Record<string, AnyOperation>> {
  return {
    PutBucketVersioning: change<PutBucketVersioningCommandInput>(
      buckets,
      'PutBucketVersioning',
      ({ VersioningConfiguration }) => {
        const status = VersioningConfiguration?.Status;
        if (status !== 'Enabled' && status !== 'Suspended') {
          throw new AwsError('IllegalVersioningConfigurationException', 'The Versioning element must be specified');
        }
        return { versioning: status };
      },
    ),
    GetBucketVersioning: read<GetBucketVersioningCommandInput, { Status?: 'Enabled' | 'Suspended' }>(
      buckets,
      'GetBucketVersioning',
      ({ settings }) => (settings.versioning === undefined ? {} : { Status: settings.versioning }),
    ),
    PutBucketPolicy: change<PutBucketPolicyCommandInput>(buckets, 'PutBucketPolicy', ({ Policy }, bucket) => ({
      policy: parsePolicy(Policy, bucket),
    })),
    GetBucketPolicy: read<GetBucketPolicyCommandInput, { Policy: string }>(
      buckets,
      'GetBucketPolicy',
      ({ name, settings }) => {
        if (settings.policy !== undefined) return { Policy: settings.policy.text };
        throw new AwsError('NoSuchBucketPolicy', 'The bucket policy does not exist', 404, { BucketName: name });
      },
    ),
    DeleteBucketPolicy: change<DeleteBucketPolicyCommandInput>(buckets, 'DeleteBucketPolicy', () => ({
      policy: undefined,
    })),
    PutPublicAccessBlock: change<PutPublicAccessBlockCommandInput>(
      buckets,
      'PutBucketPublicAccessBlock',
      ({ PublicAccessBlockConfiguration }) => ({ publicAccessBlock: PublicAccessBlockConfiguration }),
    ),
    GetPublicAccessBlock: read<
      GetPublicAccessBlockCommandInput,
      { PublicAccessBlockConfiguration: PublicAccessBlockConfiguration }
    >(buckets, 'GetBucketPublicAccessBlock', ({ settings }) => {
      const block = settings.publicAccessBlock;
      if (block !== undefined) return { PublicAccessBlockConfiguration: block };
      throw new AwsError(
        'NoSuchPublicAccessBlockConfiguration',
        'The public access block configuration was not found',
        404,
      );
    }),
    PutBucketEncryption: change<PutBucketEncryptionCommandInput>(
      buckets,
      'PutEncryptionConfiguration',
      ({ ServerSideEncryptionConfiguration }) => ({ encryption: ServerSideEncryptionConfiguration ?? { Rules: [] } }),
    ),
    GetBucketEncryption: read<
      GetBucketEncryptionCommandInput,
      { ServerSideEncryptionConfiguration: ServerSideEncryptionConfiguration }
    >(buckets, 'GetEncryptionConfiguration', ({ settings }) => ({
      ServerSideEncryptionConfiguration: settings.encryption,
    })),
    PutBucketOwnershipControls: change<PutBucketOwnershipControlsCommandInput>(
      buckets,
      'PutBucketOwnershipControls',
      ({ OwnershipControls }) => ({ ownershipControls: OwnershipControls }),
    ),
    PutBucketLogging: change<PutBucketLoggingCommandInput>(
      buckets,
      'PutBucketLogging',
      ({ BucketLoggingStatus = {} }) => ({ logging: BucketLoggingStatus }),
    ),
    PutBucketTagging: change<PutBucketTaggingCommandInput>(buckets, 'PutBucketTagging', ({ Tagging }) => ({
      tags: Tagging?.TagSet ?? [],
    })),
    PutBucketLifecycleConfiguration: operation<PutBucketLifecycleConfigurationCommandInput, object>({
      permissions: ({ Bucket }) => [buckets.permission('PutLifecycleConfiguration', Bucket)],
      run({ Bucket, LifecycleConfiguration }) {
        const bucket = buckets.get(Bucket);
        bucket.settings.lifecycle = LifecycleConfiguration?.Rules ?? [];
        buckets.lifecycleOf(bucket).schedule();
        return {};
      },
    }),
  };
}
