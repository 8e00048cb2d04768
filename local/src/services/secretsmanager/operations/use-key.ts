import { AwsError } from '../../../kernel/errors.ts';
import type { CallContext } from '../../../kernel/service.ts';
import type { Secret, Secrets } from '../secrets.ts';

/**
 * Asks KMS as the caller for the key of a secret; nothing is encrypted on this machine. The key that AWS manages is for
 * everybody in the account (https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html).
 *
 * @throws AwsError AccessDeniedException, DecryptionFailure, EncryptionFailure
 */
export async function useKey(
  { kernel }: Secrets,
  { arn, kmsKeyId }: Secret,
  versionId: string,
  action: 'Decrypt' | 'GenerateDataKey',
  context: CallContext,
): Promise<void> {
  if (kmsKeyId === undefined) return;
  const encryptionContext = { SecretARN: arn, SecretVersionId: versionId };
  const use = { keyId: kmsKeyId, action, encryptionContext, via: 'secretsmanager', context };
  try {
    await kernel.call('kms', 'AuthorizeUse', use, kernel.serviceCaller('secretsmanager.amazonaws.com', arn));
  } catch (error) {
    if (!(error instanceof AwsError) || error.code === 'NotEmulated') throw error;
    if (error.status === 403)
      throw new AwsError('AccessDeniedException', `Access to KMS is not allowed: ${error.message}`);
    throw new AwsError(action === 'Decrypt' ? 'DecryptionFailure' : 'EncryptionFailure', error.message);
  }
}
