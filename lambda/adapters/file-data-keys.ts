import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import type { FileDataKey } from '@thingstead/contracts/files';
import type { DataKeys } from '../file-transfers/ports.ts';

type Context = Readonly<Record<string, string>>;

/** Data keys of KMS, AES-256, each bound to its context: KMS gives the key back for no other. */
export class FileDataKeys implements DataKeys {
  readonly #client: KMSClient;
  readonly #keyArn: string;

  constructor(client: KMSClient, keyArn: string) {
    this.#client = client;
    this.#keyArn = keyArn;
  }

  async generate(EncryptionContext: Context): Promise<Pick<FileDataKey, 'plaintext' | 'wrapped' | 'keyArn'>> {
    const input = { KeyId: this.#keyArn, KeySpec: 'AES_256', EncryptionContext } as const;
    const { Plaintext, CiphertextBlob, KeyId } = await this.#client.send(new GenerateDataKeyCommand(input));
    if (!Plaintext || !CiphertextBlob || !KeyId) throw new Error('KMS gave no data key');
    return { plaintext: base64(Plaintext), wrapped: base64(CiphertextBlob), keyArn: KeyId };
  }

  async unwrap(wrapped: string, EncryptionContext: Context): Promise<string> {
    const input = { KeyId: this.#keyArn, CiphertextBlob: Buffer.from(wrapped, 'base64'), EncryptionContext };
    const { Plaintext } = await this.#client.send(new DecryptCommand(input));
    if (!Plaintext) throw new Error('KMS gave no data key');
    return base64(Plaintext);
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
