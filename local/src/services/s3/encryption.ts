/** Server-side encryption with KMS keys: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html. */
import { AwsError } from '../../kernel/errors.ts';
import type { CallContext } from '../../kernel/service.ts';
import type { Bucket } from './bucket.ts';
import type { Buckets } from './buckets.ts';
import type { ObjectContent } from './object-store.ts';

export type Encryption = ObjectContent['encryption'];

interface Asked {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly BucketKeyEnabled?: boolean | string | undefined;
}

const ALGORITHMS: ReadonlySet<string> = new Set(['AES256', 'aws:kms', 'aws:kms:dsse']);
/** The key that S3 manages for an account that names none. */
const MANAGED_KEY = 'alias/aws/s3';

function usesKms({ algorithm }: Encryption): boolean {
  return algorithm !== 'AES256';
}

/** Asks KMS as the caller, through S3. Answers the ARN of the key. */
async function useKey(
  { kernel }: Buckets,
  bucket: Bucket,
  key: string,
  { encryption, action }: { readonly encryption: Encryption; readonly action: 'GenerateDataKey' | 'Decrypt' },
  context: CallContext,
): Promise<string> {
  // "If you use an S3 Bucket Key, the encryption context is the bucket's ARN instead of the object's."
  const encryptionContext = { 'aws:s3:arn': encryption.bucketKey ? bucket.arn : `${bucket.arn}/${key}` };
  const use = { keyId: encryption.keyId ?? MANAGED_KEY, action, encryptionContext, via: 's3', context };
  try {
    const caller = kernel.serviceCaller('s3.amazonaws.com', bucket.arn);
    return (await kernel.call<{ readonly keyArn: string }>('kms', 'AuthorizeUse', use, caller)).keyArn;
  } catch (error) {
    if (!(error instanceof AwsError) || error.status === 403 || error.code === 'NotEmulated') throw error;
    throw new AwsError(`KMS.${error.code}`, error.message);
  }
}

/** The condition keys about encryption in a request to write. */
export function encryptionConditionKeys({ ServerSideEncryption, SSEKMSKeyId }: Asked): Record<string, string> {
  return {
    ...(ServerSideEncryption !== undefined && { 's3:x-amz-server-side-encryption': ServerSideEncryption }),
    ...(SSEKMSKeyId !== undefined && { 's3:x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId }),
  };
}

/**
 * How a new object is encrypted: as the request says, or as the bucket's default. Nothing is encrypted on this machine,
 * but the caller must be allowed `kms:GenerateDataKey` on the key.
 *
 * @throws AwsError InvalidArgument, AccessDenied, KMS.DisabledException and the like
 */
export async function encryptionForWrite(
  buckets: Buckets,
  bucket: Bucket,
  key: string,
  asked: Asked,
  context: CallContext,
): Promise<Encryption> {
  const { ServerSideEncryption: algorithm, SSEKMSKeyId } = asked;
  if (algorithm !== undefined && !ALGORITHMS.has(algorithm)) {
    throw new AwsError('InvalidEncryptionAlgorithmError', `The encryption request is not valid: ${algorithm}.`);
  }
  if (SSEKMSKeyId !== undefined && (algorithm === undefined || algorithm === 'AES256')) {
    throw new AwsError('InvalidArgument', 'Server Side Encryption with AWS KMS managed key requires aws:kms');
  }
  const { defaultEncryption } = bucket;
  const chosen: Encryption = algorithm === undefined ? defaultEncryption : { algorithm, keyId: SSEKMSKeyId };
  if (!usesKms(chosen)) return { algorithm: chosen.algorithm };
  const given = asked.BucketKeyEnabled;
  const bucketKey = given === undefined ? defaultEncryption.bucketKey === true : String(given) === 'true';
  const encryption: Encryption = { ...chosen, bucketKey };
  const keyId = await useKey(buckets, bucket, key, { encryption, action: 'GenerateDataKey' }, context);
  return { ...encryption, keyId };
}

/**
 * Whoever reads an object under a KMS key must be allowed `kms:Decrypt` on it.
 *
 * @throws AwsError AccessDenied, KMS.DisabledException and the like
 */
export async function authorizeDecryption(
  buckets: Buckets,
  bucket: Bucket,
  key: string,
  encryption: Encryption,
  context: CallContext,
): Promise<void> {
  if (usesKms(encryption)) await useKey(buckets, bucket, key, { encryption, action: 'Decrypt' }, context);
}

/** What answers to writes and reads say about encryption. */
export function encryptionMembers({ algorithm, keyId, bucketKey }: Encryption) {
  // The algorithm comes from a request or a template and is only repeated.
  const ServerSideEncryption = algorithm as 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  return {
    ServerSideEncryption,
    ...(keyId !== undefined && { SSEKMSKeyId: keyId }),
    ...(bucketKey === true && { BucketKeyEnabled: true }),
  };
}
