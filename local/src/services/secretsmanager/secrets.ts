import { createHash } from 'node:crypto';
import type { Timer } from '../../kernel/clock.ts';
import { AwsError } from '../../kernel/errors.ts';
import type { KeptState } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import type { Running } from '../../meter/meter.ts';
import { invalidParameter, invalidRequest } from './errors.ts';

export const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
const NAME = /^[\w/+=.@-]{1,512}$/;
/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MAX_VALUE_BYTES = 65_536;
const SUFFIX_LENGTH = 6;

export interface SecretValue {
  readonly text: string | undefined;
  readonly bytes: Buffer | undefined;
}

export interface SecretVersion extends SecretValue {
  readonly id: string;
  readonly createdAt: number;
  /** AWSCURRENT, AWSPREVIOUS, or the account's own labels. A version without one is not found any more. */
  readonly stages: Set<string>;
}

export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly versions: Map<string, SecretVersion>;
  readonly tags: Map<string, string>;
  description: string | undefined;
  /** As it was given; undefined for the key that AWS manages. */
  kmsKeyId: string | undefined;
  changedAt: number;
  accessedAt: number | undefined;
  /** When it goes for good; undefined while it is not marked for deletion. Epoch milliseconds. */
  deletionAt: number | undefined;
}

/** The secrets of the account. */
export class Secrets {
  readonly kernel: Kernel;
  readonly #secrets = new Map<string, Secret>();
  readonly #charges = new Map<string, Running>();
  readonly #deletions = new Map<string, Timer>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly Secret[] {
    return [...this.#secrets.values()];
  }

  get state(): KeptState {
    const secrets = this.#secrets;
    return {
      *save() {
        for (const secret of secrets.values()) yield [`secret/${secret.arn}`, secret];
      },
      restore: (records) => {
        for (const secret of records.all<Secret>('secret/')) {
          this.#add(secret);
          if (secret.deletionAt !== undefined) this.markForDeletion(secret, secret.deletionAt);
        }
      },
    };
  }

  /** The same at every start for a name, so that IAM can be asked before there is a secret. AWS draws it anew. */
  arnOf(name: string | undefined): string {
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw invalidParameter(
        `Invalid name. Must be a valid name containing alphanumeric characters, or any of: -/_+=.@!`,
      );
    }
    const suffix = createHash('sha256').update(`${this.kernel.accountId}/${name}`).digest('base64');
    return this.kernel.arn(
      'secretsmanager',
      `secret:${name}-${suffix.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, SUFFIX_LENGTH)}`,
    );
  }

  /** @throws AwsError ResourceExistsException, InvalidRequestException while one of this name is marked for deletion */
  create(name: string, settings: Pick<Secret, 'description' | 'kmsKeyId'>): Secret {
    const arn = this.arnOf(name);
    const existing = this.#secrets.get(arn);
    if (existing?.deletionAt !== undefined) {
      throw invalidRequest(
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    if (existing) {
      throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
    }
    const now = this.kernel.clock.now();
    const secret: Secret = {
      ...settings,
      name,
      arn,
      createdAt: now,
      changedAt: now,
      accessedAt: undefined,
      deletionAt: undefined,
      versions: new Map(),
      tags: new Map(),
    };
    this.#add(secret);
    return secret;
  }

  /** By name, ARN, or ARN without its suffix. Throws ResourceNotFoundException. */
  get(id: string | undefined): Secret {
    const found = this.all.find(
      ({ name, arn }) => id === name || id === arn || id === arn.slice(0, -SUFFIX_LENGTH - 1),
    );
    if (!found) throw notFound('secret');
    return found;
  }

  /** A secret that can be used. Throws InvalidRequestException while it is marked for deletion. */
  usable(id: string | undefined): Secret {
    const secret = this.get(id);
    if (secret.deletionAt === undefined) return secret;
    throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
  }

  permission(action: string, id: string | undefined): readonly Permission[] {
    return [{ action: `secretsmanager:${action}`, resource: this.get(id).arn }];
  }

  /** By version id or stage; the current one without either. Throws ResourceNotFoundException. */
  version(secret: Secret, id: string | undefined, stage: string | undefined): SecretVersion {
    const wanted = [...secret.versions.values()].find(
      (each) => (id === undefined || each.id === id) && (id !== undefined || each.stages.has(stage ?? CURRENT)),
    );
    if (!wanted || wanted.stages.size === 0) {
      throw notFound(
        `secret value for ${id === undefined ? `staging label: ${stage ?? CURRENT}` : `VersionId: ${id}`}`,
      );
    }
    if (stage === undefined || wanted.stages.has(stage)) return wanted;
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
  }

  /** Adds a version; the same one again gives the one that exists. Throws ResourceExistsException, InvalidParameterException. */
  put(secret: Secret, value: SecretValue, id: string, stages: readonly string[] = [CURRENT]): SecretVersion {
    checkValue(value);
    const existing = secret.versions.get(id);
    if (existing) {
      if (sameValue(existing, value)) return existing;
      throw new AwsError(
        'ResourceExistsException',
        `A resource with the ID you requested already exists: ${id}, with another value.`,
      );
    }
    const now = this.kernel.clock.now();
    for (const stage of stages) this.#takeStage(secret, stage);
    const version = { ...value, id, createdAt: now, stages: new Set(stages) };
    secret.versions.set(id, version);
    secret.changedAt = now;
    return version;
  }

  /** Marks a secret for deletion at a time; until then it can be restored. */
  markForDeletion(secret: Secret, at: number): void {
    secret.deletionAt = at;
    this.#deletions.set(
      secret.arn,
      this.kernel.clock.at(at, () => this.delete(secret)),
    );
  }

  restore(secret: Secret): void {
    secret.deletionAt = undefined;
    this.#deletions.get(secret.arn)?.cancel();
    this.#deletions.delete(secret.arn);
  }

  delete({ arn }: Secret): void {
    this.#secrets.delete(arn);
    this.#deletions.get(arn)?.cancel();
    this.#deletions.delete(arn);
    this.#charges.get(arn)?.stop();
    this.#charges.delete(arn);
  }

  #add(secret: Secret): void {
    this.#secrets.set(secret.arn, secret);
    this.#charges.set(secret.arn, this.kernel.meter.start('secret', 'secrets'));
  }

  /** A stage is on one version; what was current becomes the previous one. */
  #takeStage(secret: Secret, stage: string): void {
    for (const version of secret.versions.values()) {
      if (!version.stages.delete(stage) || stage !== CURRENT) continue;
      for (const other of secret.versions.values()) other.stages.delete(PREVIOUS);
      version.stages.add(PREVIOUS);
    }
  }
}

function notFound(what: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Secrets Manager can't find the specified ${what}.`);
}

function checkValue({ text, bytes }: SecretValue): void {
  if ((text === undefined) === (bytes === undefined)) {
    throw invalidParameter('You must provide either SecretString or SecretBinary, and not both.');
  }
  const length = bytes?.length ?? Buffer.byteLength(text ?? '');
  if (length === 0 || length > MAX_VALUE_BYTES) {
    throw invalidParameter(`A secret has 1 to ${MAX_VALUE_BYTES} bytes; this one has ${length}.`);
  }
}

function sameValue(one: SecretValue, other: SecretValue): boolean {
  return one.text === other.text && Buffer.compare(one.bytes ?? Buffer.alloc(0), other.bytes ?? Buffer.alloc(0)) === 0;
}
