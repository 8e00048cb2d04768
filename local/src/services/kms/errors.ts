/** Errors of AWS KMS (https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html and each operation's page). */
import { AwsError } from '../../kernel/errors.ts';

/** What does not exist: a key, an alias. */
export function notFound(message: string): AwsError {
  return new AwsError('NotFoundException', message);
}

/** A key in a state in which the operation is impossible. */
export function invalidState(arn: string, detail: string): AwsError {
  return new AwsError('KMSInvalidStateException', `${arn} ${detail}`);
}

/** A key whose usage does not allow the operation. */
export function invalidKeyUsage(arn: string, usage: string, operation: string): AwsError {
  return new AwsError('InvalidKeyUsageException', `${arn} key usage is ${usage} which is not valid for ${operation}.`);
}

/** A ciphertext that was changed, comes from elsewhere or is opened with another encryption context. AWS gives no reason. */
export function invalidCiphertext(): AwsError {
  return new AwsError('InvalidCiphertextException', 'The ciphertext or its encryption context is invalid.');
}
