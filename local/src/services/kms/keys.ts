import { randomUUID } from 'node:crypto';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import type { Running } from '../../meter/meter.ts';
import { notFound } from './errors.ts';
import { type KeptKey, Key } from './key.ts';
import { type KeyPolicy, managedKeyPolicy } from './key-policy.ts';
import { importMaterial, type KeySpec, keySpecOf } from './key-specs.ts';

export interface Alias {
  readonly name: string;
  readonly arn: string;
  targetKeyId: string;
  readonly createdAt: number;
  updatedAt: number;
}

type ConditionKeys = Readonly<Record<string, string | readonly string[]>>;

const MANAGED = /^alias\/aws\/([a-z0-9-]+)$/;

/** The keys and aliases of the account. */
export class Keys {
  readonly kernel: Kernel;
  readonly aliases = new Map<string, Alias>();
  readonly #keys = new Map<string, Key>();
  readonly #charges = new Map<Key, Running>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly Key[] {
    return [...this.#keys.values()];
  }

  create(spec: KeySpec, policy: KeyPolicy, manager: 'AWS' | 'CUSTOMER' = 'CUSTOMER'): Key {
    const { accountId, clock } = this.kernel;
    const id = randomUUID();
    const arn = this.kernel.arn('kms', `key/${id}`);
    const key = new Key({ id, arn, accountId, spec, manager, createdAt: clock.now(), policy });
    this.#keys.set(id, key);
    this.charge(key);
    return key;
  }

  /** A key of the customer costs by time, unless it is about to be deleted; to be called when its state has changed. */
  charge(key: Key): void {
    const costs = key.manager === 'CUSTOMER' && key.state !== 'PendingDeletion' && this.#keys.has(key.id);
    if (costs === this.#charges.has(key)) return;
    if (costs) {
      this.#charges.set(key, this.kernel.meter.start('kmsKey', 'keys'));
    } else {
      this.#charges.get(key)?.stop();
      this.#charges.delete(key);
    }
  }

  /** Removes a key for good when its time has come, unless the deletion was cancelled, or scheduled anew. */
  deleteAt(key: Key, deletionAt: number): void {
    this.kernel.clock.at(deletionAt, () => {
      if (key.deletionAt === deletionAt) this.delete(key);
    });
  }

  *save(): Generator<KeptRecord> {
    for (const key of this.#keys.values()) yield [`key/${key.id}`, key.kept];
    for (const alias of this.aliases.values()) yield [`alias/${alias.name}`, alias];
  }

  restore(records: KeptRecords): void {
    const { accountId } = this.kernel;
    for (const kept of records.all<KeptKey>('key/')) {
      const arn = this.kernel.arn('kms', `key/${kept.id}`);
      const spec = keySpecOf(kept.specName, kept.usage);
      const key = new Key({ ...kept, arn, accountId, spec, material: importMaterial(kept.material) });
      const { description, rotated, state, deletionAt } = kept;
      Object.assign(key, { description, rotated, state, deletionAt });
      for (const [name, value] of kept.tags) key.tags.set(name, value);
      this.#keys.set(key.id, key);
      this.charge(key);
      if (deletionAt !== undefined) this.deleteAt(key, deletionAt);
    }
    for (const alias of records.all<Alias>('alias/')) this.aliases.set(alias.name, alias);
  }

  /** Removes a key for good, with its aliases. */
  delete(key: Key): void {
    this.#keys.delete(key.id);
    this.charge(key);
    for (const { name } of this.aliasesOf(key)) this.aliases.delete(name);
  }

  aliasesOf(key: Key): readonly Alias[] {
    return [...this.aliases.values()].filter(({ targetKeyId }) => targetKeyId === key.id);
  }

  addAlias(name: string, key: Key): Alias {
    const now = this.kernel.clock.now();
    const arn = this.kernel.arn('kms', name);
    const alias: Alias = { name, arn, targetKeyId: key.id, createdAt: now, updatedAt: now };
    this.aliases.set(name, alias);
    return alias;
  }

  /**
   * The key by its id or ARN.
   *
   * @throws AwsError NotFoundException
   */
  get(idOrArn: string | undefined): Key {
    const name = this.#localName(idOrArn);
    const key = this.#keys.get(name.startsWith('key/') ? name.slice('key/'.length) : name);
    if (key) return key;
    if (name.startsWith('alias/')) throw notFound(`Invalid keyId ${idOrArn}: this operation takes no alias.`);
    throw notFound(`Key '${this.kernel.arn('kms', `key/${name.replace(/^key\//, '')}`)}' does not exist`);
  }

  /**
   * The key by its id, its ARN, or the name or ARN of an alias. The alias of an AWS managed key makes the key when it is
   * first used, as AWS does.
   *
   * @throws AwsError NotFoundException
   */
  resolve(idOrAlias: string | undefined): Key {
    const name = this.#localName(idOrAlias);
    if (!name.startsWith('alias/')) return this.get(idOrAlias);
    const service = MANAGED.exec(name)?.[1];
    if (service !== undefined && !this.aliases.has(name)) this.#createManaged(name, service);
    const alias = this.aliases.get(name);
    if (!alias) throw notFound(`Alias ${this.kernel.arn('kms', name)} is not found.`);
    return this.get(alias.targetKeyId);
  }

  /** The permission for an action on a key. The key's policy decides; it may leave it to IAM policies. */
  permission(action: string, key: Key, more: ConditionKeys = {}, named?: string): Permission {
    const alias = named === undefined ? '' : this.#localName(named);
    return {
      action: `kms:${action}`,
      resource: key.arn,
      resourcePolicy: key.policy.document,
      resourcePolicyDecides: true,
      context: {
        'kms:CallerAccount': this.kernel.accountId,
        'kms:KeyOrigin': 'AWS_KMS',
        'kms:KeySpec': key.spec.name,
        'kms:KeyUsage': key.spec.usage,
        'kms:MultiRegion': 'false',
        'kms:ResourceAliases': this.aliasesOf(key).map(({ name }) => name),
        ...(alias.startsWith('alias/') && { 'kms:RequestAlias': alias }),
        ...Object.fromEntries([...key.tags].map(([tag, value]) => [`aws:ResourceTag/${tag}`, value])),
        ...more,
      },
    };
  }

  #createManaged(name: string, service: string): void {
    const { region, accountId } = this.kernel;
    const key = this.create(keySpecOf(undefined, undefined), managedKeyPolicy(service, region, accountId), 'AWS');
    key.description = `Default key that protects my ${service} data when no other key is defined`;
    this.addAlias(name, key);
  }

  /** `key/<id>`, `<id>` or `alias/<name>`, without the beginning of an ARN of this account. */
  #localName(idOrArn: string | undefined): string {
    const prefix = this.kernel.arn('kms', '');
    const name = idOrArn ?? '';
    return name.startsWith(prefix) ? name.slice(prefix.length) : name;
  }
}
