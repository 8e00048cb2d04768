import { AwsError } from '../../kernel/errors.ts';
import { invalidKeyUsage, invalidState } from './errors.ts';
import type { KeyPolicy } from './key-policy.ts';
import { exportMaterial, type KeptMaterial, type KeySpec, type KeyUsage, type Material } from './key-specs.ts';
import type { KeyPair } from './signatures.ts';

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

/** The member of DescribeKey and GetPublicKey that lists a key's algorithms. */
const ALGORITHMS_MEMBER: Readonly<Record<KeyUsage, string>> = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
};

interface KeyOptions {
  readonly id: string;
  readonly arn: string;
  readonly accountId: string;
  readonly spec: KeySpec;
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly createdAt: number;
  readonly policy: KeyPolicy;
  /** What a kept key was made of; a new key makes its own. */
  readonly material?: Material;
}

/** How a key is kept. */
export interface KeptKey {
  readonly id: string;
  readonly specName: string;
  readonly usage: KeyUsage;
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly createdAt: number;
  readonly policy: KeyPolicy;
  readonly tags: ReadonlyMap<string, string>;
  readonly description: string;
  readonly rotated: boolean;
  readonly state: KeyState;
  readonly deletionAt: number | undefined;
  readonly material: KeptMaterial;
}

/** One KMS key, with its material. */
export class Key {
  readonly id: string;
  readonly arn: string;
  readonly spec: KeySpec;
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly tags = new Map<string, string>();
  readonly #accountId: string;
  readonly #createdAt: number;
  readonly #material: Material;
  policy: KeyPolicy;
  description = '';
  rotated = false;
  state: KeyState = 'Enabled';
  /** Epoch milliseconds, while the deletion is pending. */
  deletionAt: number | undefined;

  constructor({ id, arn, accountId, spec, manager, createdAt, policy, material }: KeyOptions) {
    this.id = id;
    this.arn = arn;
    this.spec = spec;
    this.manager = manager;
    this.policy = policy;
    this.#accountId = accountId;
    this.#createdAt = createdAt;
    this.#material = material ?? spec.make();
  }

  get kept(): KeptKey {
    const { id, spec, manager, policy, tags, description, rotated, state, deletionAt } = this;
    return {
      ...{ id, specName: spec.name, usage: spec.usage, manager, createdAt: this.#createdAt, policy, tags },
      ...{ description, rotated, state, deletionAt, material: exportMaterial(this.#material) },
    };
  }

  /** @throws AwsError KMSInvalidStateException */
  requireNotPendingDeletion(): void {
    if (this.state === 'PendingDeletion') throw invalidState(this.arn, 'is pending deletion.');
  }

  /**
   * Whether the key can be used for an operation.
   *
   * @throws AwsError DisabledException, KMSInvalidStateException, InvalidKeyUsageException
   */
  requireUsable(usage: KeyUsage, operation: string): void {
    this.requireNotPendingDeletion();
    if (this.state === 'Disabled') throw new AwsError('DisabledException', `${this.arn} is disabled.`);
    if (this.spec.usage !== usage) throw invalidKeyUsage(this.arn, this.spec.usage, operation);
  }

  /** @throws AwsError InvalidKeyUsageException */
  requireAlgorithm(algorithm: string | undefined): string {
    if (algorithm !== undefined && this.spec.algorithms.includes(algorithm)) return algorithm;
    const known = this.spec.algorithms.join(', ');
    throw new AwsError(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} is incompatible with key spec ${this.spec.name}; it has ${known}.`,
    );
  }

  /** The secret of a symmetric or HMAC key. */
  get secret(): Buffer {
    if (this.#material.kind === 'secret') return this.#material.secret;
    throw invalidKeyUsage(this.arn, this.spec.usage, 'an operation on symmetric keys');
  }

  /** @throws AwsError UnsupportedOperationException for a key that is not asymmetric */
  get pair(): KeyPair {
    if (this.#material.kind === 'pair') return this.#material;
    throw new AwsError('UnsupportedOperationException', `${this.arn} is not an asymmetric key.`);
  }

  get algorithmMembers(): Readonly<Record<string, readonly string[]>> {
    return { [ALGORITHMS_MEMBER[this.spec.usage]]: this.spec.algorithms };
  }

  /** KeyMetadata as CreateKey and DescribeKey answer it. */
  get metadata() {
    return {
      AWSAccountId: this.#accountId,
      Arn: this.arn,
      CreationDate: new Date(this.#createdAt),
      CustomerMasterKeySpec: this.spec.name,
      ...(this.deletionAt !== undefined && { DeletionDate: new Date(this.deletionAt) }),
      Description: this.description,
      Enabled: this.state === 'Enabled',
      KeyId: this.id,
      KeyManager: this.manager,
      KeySpec: this.spec.name,
      KeyState: this.state,
      KeyUsage: this.spec.usage,
      MultiRegion: false,
      Origin: 'AWS_KMS',
      ...this.algorithmMembers,
    };
  }
}
