import { createHash } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { FirmwareAssignment, SignedDocument } from '@thingstead/contracts/firmware';
import { bytesToSign, keyIdOf } from '@thingstead/crypto/signed-document';
import { documentBytes } from '@thingstead/crypto/strict-json';
import type { Assigner } from '../firmware-devices/ports.ts';

/** KMS answered without a member that it always has. */
export class IncompleteKeyError extends Error {
  override readonly name = 'IncompleteKeyError';
}

/** The key of KMS with which the cloud assigns releases to devices; what it signs never leaves KMS unhashed. */
export class AssignmentKey implements Assigner {
  readonly #client: KMSClient;
  readonly #arn: string;
  #id: Promise<string> | undefined;

  constructor(client: KMSClient, arn: string) {
    this.#client = client;
    this.#arn = arn;
  }

  /** As signatures name it. Asked once: the key of an ARN is always the same. */
  id(): Promise<string> {
    this.#id ??= this.#readId().catch((error) => {
      this.#id = undefined;
      throw error;
    });
    return this.#id;
  }

  async sign(assignment: FirmwareAssignment): Promise<SignedDocument> {
    const bytes = documentBytes(assignment);
    const Message = createHash('sha256').update(bytesToSign('assignment', bytes)).digest();
    const sign = new SignCommand({
      KeyId: this.#arn,
      Message,
      MessageType: 'DIGEST',
      SigningAlgorithm: 'ECDSA_SHA_256',
    });
    const [keyId, { Signature }] = await Promise.all([this.id(), this.#client.send(sign)]);
    if (!Signature) throw new IncompleteKeyError('Sign gave no signature');
    return {
      document: bytes.toString('base64'),
      signatures: [{ keyId, signature: Buffer.from(Signature).toString('base64') }],
    };
  }

  async #readId(): Promise<string> {
    const { PublicKey } = await this.#client.send(new GetPublicKeyCommand({ KeyId: this.#arn }));
    if (!PublicKey) throw new IncompleteKeyError('GetPublicKey gave no key');
    return keyIdOf(PublicKey);
  }
}
