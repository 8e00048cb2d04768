import {
  EncryptedDataKey,
  KeyringNode,
  KeyringTraceFlag,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node';
import type { FileDataKey } from '@thingstead/contracts/files';
import { EncryptedFileError } from './encrypted-file-error.ts';

/** As AWS's own keyring of KMS says it, so that this one and that one read each other's messages. */
const PROVIDER = 'aws-kms';

/**
 * A keyring with one data key that KMS has made and wrapped before: whoever holds it needs no access to KMS. What is encrypted names
 * the wrapped key as KMS's keyring does, so that any AWS Encryption SDK with the right to use the KMS key decrypts it.
 */
export class DataKeyKeyring extends KeyringNode {
  readonly #dataKey: FileDataKey;

  constructor(dataKey: FileDataKey) {
    super();
    this.#dataKey = dataKey;
  }

  /** @throws Error when the data key has not 256 bits. */
  override async _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    const { keyArn, wrapped } = this.#dataKey;
    this.#setKey(material, KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY);
    return material.addEncryptedDataKey(
      new EncryptedDataKey({
        providerId: PROVIDER,
        providerInfo: keyArn,
        encryptedDataKey: Uint8Array.from(Buffer.from(wrapped, 'base64')),
      }),
      KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY | KeyringTraceFlag.WRAPPING_KEY_SIGNED_ENC_CTX,
    );
  }

  /** @throws EncryptedFileError when the message was encrypted in another context, or with another data key. */
  override async _onDecrypt(
    material: NodeDecryptionMaterial,
    encryptedDataKeys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    const { keyArn, wrapped, context } = this.#dataKey;
    if (inOrder(material.encryptionContext) !== inOrder(context)) {
      const message = `it was encrypted for ${inOrder(material.encryptionContext)}, not for ${inOrder(context)}`;
      throw new EncryptedFileError('wrong-context', message);
    }
    const wanted = Buffer.from(wrapped, 'base64');
    const isOurs = ({ providerId, providerInfo, encryptedDataKey }: EncryptedDataKey): boolean =>
      providerId === PROVIDER && providerInfo === keyArn && wanted.equals(encryptedDataKey);
    if (!encryptedDataKeys.some(isOurs)) {
      const keys = encryptedDataKeys.map(({ providerInfo }) => providerInfo).join(', ');
      throw new EncryptedFileError('wrong-key', `it was encrypted with another data key, under ${keys}`);
    }
    this.#setKey(material, KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY);
    return material;
  }

  /** The material has a copy of the key, and zeroes it when it is done. */
  #setKey(material: NodeEncryptionMaterial | NodeDecryptionMaterial, flags: KeyringTraceFlag): void {
    const decoded = Buffer.from(this.#dataKey.plaintext, 'base64');
    // The library wants an array buffer that holds nothing else.
    const key = Uint8Array.from(decoded);
    try {
      material.setUnencryptedDataKey(key, { keyNamespace: PROVIDER, keyName: this.#dataKey.keyArn, flags });
    } finally {
      decoded.fill(0);
      key.fill(0);
    }
  }
}

function inOrder(context: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
