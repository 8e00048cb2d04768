import { jsonProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { Keys } from './keys.ts';
import { aliasOperations } from './operations/aliases.ts';
import { authorizeUse } from './operations/authorize-use.ts';
import { dataKeyOperations } from './operations/data-keys.ts';
import { encryptionOperations } from './operations/encryption.ts';
import { keyOperations } from './operations/keys.ts';
import { signingOperations } from './operations/signing.ts';

/** AWS KMS: symmetric, asymmetric and HMAC keys with their policies. There are no grants and no imported material. */
export function createKmsService(kernel: Kernel): Service {
  const keys = new Keys(kernel);
  return {
    name: 'kms',
    signingNames: ['kms'],
    protocols: [
      jsonProtocol({
        version: '1.1',
        targetPrefix: 'TrentService',
        inputTypes: {
          Decrypt: { CiphertextBlob: 'blob' },
          Encrypt: { Plaintext: 'blob' },
          GenerateMac: { Message: 'blob' },
          ReEncrypt: { CiphertextBlob: 'blob' },
          Sign: { Message: 'blob' },
          Verify: { Message: 'blob', Signature: 'blob' },
          VerifyMac: { Message: 'blob', Mac: 'blob' },
        },
      }),
    ],
    operations: {
      ...aliasOperations(keys),
      ...dataKeyOperations(keys),
      ...encryptionOperations(keys),
      ...keyOperations(keys),
      ...signingOperations(keys),
      AuthorizeUse: authorizeUse(keys),
    },
    state: keys,
  };
}
