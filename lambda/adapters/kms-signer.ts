import { type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { Signer } from '../certificate-renewals/ports.ts';
import { IncompleteAnswerError } from './iot-registry.ts';

/** Signs with a key that never leaves KMS. */
export class KmsSigner implements Signer {
  readonly #client: KMSClient;
  readonly #keyId: string;

  constructor(client: KMSClient, keyId: string) {
    this.#client = client;
    this.#keyId = keyId;
  }

  async sign(digest: Uint8Array): Promise<Uint8Array> {
    const { Signature } = await this.#client.send(
      new SignCommand({
        KeyId: this.#keyId,
        Message: digest,
        MessageType: 'DIGEST',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    );
    if (!Signature) throw new IncompleteAnswerError(`Sign with ${this.#keyId}`);
    return Signature;
  }
}
