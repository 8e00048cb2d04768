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
  /** Base64 of JSON. */
  readonly SSEKMSEncryptionContext?: string | undefined;
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
  // "Amazon S3 appends the default encryption context" to what the writer gives.
  const own = { 'aws:s3:arn': encryption.bucketKey ? bucket.arn : `${bucket.arn}/${key}` };
  const encryptionContext = { ...encryption.context, ...own };
  const use = { keyId: encryption.keyId ?? MANAGED_KEY, action, encryptionContext, via: 's3', context };
  try {
    const caller = kernel.serviceCaller('s3.amazonaws.com', bucket.arn);
    return (await kernel.call<{ readonly keyArn: string }>('kms', 'AuthorizeUse', use, caller)).keyArn;
  } catch (error) {
    if (!(error instanceof AwsError) || error.status === 403 || error.code === 'NotEmulated') throw error;
    throw new AwsError(`KMS.${error.code}`, error.message);
  }
}

/** @throws AwsError InvalidArgument for what is not a map of texts in JSON and base64, or has the key that S3 sets */
function readContext(header: string | undefined): Readonly<Record<string, string>> | undefined {
  if (header === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch {
    // Refused below, as any other text that is no map.
  }
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  const isMap = entries.length > 0 && entries.every(([, each]) => typeof each === 'string');
  if (isMap && !entries.some(([name]) => name === 'aws:s3:arn')) return Object.fromEntries(entries);
  throw new AwsError(
    'InvalidArgument',
    'The header x-amz-server-side-encryption-context must be base64 of a JSON object of texts, without aws:s3:arn.',
  );
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
  const { ServerSideEncryption: algorithm, SSEKMSKeyId, SSEKMSEncryptionContext } = asked;
  if (algorithm !== undefined && !ALGORITHMS.has(algorithm)) {
    throw new AwsError('InvalidEncryptionAlgorithmError', `The encryption request is not valid: ${algorithm}.`);
  }
  const forKms = SSEKMSKeyId ?? SSEKMSEncryptionContext;
  if (forKms !== undefined && (algorithm === undefined || algorithm === 'AES256')) {
    throw new AwsError('InvalidArgument', 'Server Side Encryption with AWS KMS managed key requires aws:kms');
  }
  const { defaultEncryption } = bucket;
  const chosen: Encryption = algorithm === undefined ? defaultEncryption : { algorithm, keyId: SSEKMSKeyId };
  if (!usesKms(chosen)) return { algorithm: chosen.algorithm };
  const given = asked.BucketKeyEnabled;
  const bucketKey = given === undefined ? defaultEncryption.bucketKey === true : String(given) === 'true';
  const extra = readContext(SSEKMSEncryptionContext);
  const encryption: Encryption = { ...chosen, bucketKey, ...(extra && { context: extra }) };
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

/** What answers to the creation of an object say: also the context that its writer gave. */
export function newEncryptionMembers(encryption: Encryption) {
  const { context } = encryption;
  const text = context && Buffer.from(JSON.stringify(context)).toString('base64');
  return { ...encryptionMembers(encryption), ...(text !== undefined && { SSEKMSEncryptionContext: text }) };
}
