import { AwsError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { CallContext } from '../kernel/service.ts';

/** The key that a resource is encrypted with. */
export interface ResourceKey {
  /** Id, ARN or alias. */
  readonly keyId: string;
  readonly resourceArn: string;
  /** `sqs`: its principal asks KMS, and `kms:ViaService` names it. */
  readonly service: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** How the service names an error of KMS, `AccessDenied` or `Disabled`. */
  errorCode(kind: string): string;
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html#API_GenerateDataKey_Errors */
const KINDS: Readonly<Record<string, string>> = {
  AccessDeniedException: 'AccessDenied',
  DisabledException: 'Disabled',
  InvalidKeyUsageException: 'InvalidKeyUsage',
  KMSInvalidStateException: 'InvalidState',
  NotFoundException: 'NotFound',
};

/**
 * Asks KMS whether who calls a service may use the key of a resource; nothing is encrypted on this machine. A service that
 * calls needs the key's own policy.
 *
 * @throws AwsError of the service's own code, with the message of KMS
 */
export async function useKey(
  kernel: Kernel,
  { keyId, resourceArn, service, encryptionContext, errorCode }: ResourceKey,
  actions: readonly ('GenerateDataKey' | 'Decrypt')[],
  context: CallContext,
): Promise<void> {
  const caller = kernel.serviceCaller(`${service}.amazonaws.com`, resourceArn);
  for (const action of actions) {
    try {
      await kernel.call('kms', 'AuthorizeUse', { keyId, action, encryptionContext, via: service, context }, caller);
    } catch (error) {
      const kind = error instanceof AwsError ? KINDS[error.code] : undefined;
      if (kind === undefined) throw error;
      throw new AwsError(errorCode(kind), (error as AwsError).message);
    }
  }
}
