import type { AnyOperation, CallContext } from '../../../kernel/service.ts';
import { internalOperation } from '../../internal-operation.ts';
import type { EncryptionContext } from '../encryption-context.ts';
import type { Keys } from '../keys.ts';
import { encryptionKeys } from './encryption.ts';

/** A use of a key by a service for its own caller, for instance by S3 for who puts an object. */
export interface KeyUse {
  /** Id, ARN or alias. */
  readonly keyId: string;
  readonly action: 'GenerateDataKey' | 'Decrypt';
  readonly encryptionContext: EncryptionContext;
  /** The value of kms:ViaService without region and domain: `s3`. */
  readonly via: string;
  /** Who asked the service. */
  readonly context: CallContext;
}

/**
 * AuthorizeUse: whether a caller may use a key through a service, as forward access sessions do on AWS. Answers the ARN
 * of the key. AWS has no such operation; services of the runtime ask it instead of moving data keys.
 */
export function authorizeUse(keys: Keys): AnyOperation {
  return internalOperation<KeyUse, { readonly keyArn: string }>('kms', 'AuthorizeUse', (use) => {
    const { kernel } = keys;
    const key = keys.resolve(use.keyId);
    const more = {
      ...encryptionKeys(use.encryptionContext),
      'kms:ViaService': `${use.via}.${kernel.region}.amazonaws.com`,
    };
    kernel.iam.authorize(use.context, keys.permission(use.action, key, more, use.keyId));
    key.requireUsable('ENCRYPT_DECRYPT', use.action);
    return { keyArn: key.arn };
  });
}
