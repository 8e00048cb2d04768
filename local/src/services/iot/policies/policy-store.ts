import { randomUUID } from 'node:crypto';
import type { PolicyDocument } from '../../../iam/policy-document.ts';
import { AwsError } from '../../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import {
  deleteConflict,
  invalidRequest,
  limitExceeded,
  resourceAlreadyExists,
  resourceNotFound,
} from '../control/errors.ts';
import { type CompiledIotPolicy, compileIotPolicy } from './compile-iot-policy.ts';

/** Quotas: "Maximum number of named policy versions" and "Maximum number of policies that can be attached to a certificate". */
const MAX_VERSIONS = 5;
const MAX_POLICIES_OF_TARGET = 10;

export interface PolicyVersion {
  readonly id: string;
  /** As it was given, white space included. */
  readonly text: string;
  readonly document: PolicyDocument;
  readonly compiled: CompiledIotPolicy;
  readonly createdAt: number;
}

export interface Policy {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly generationId: string;
  readonly versions: Map<string, PolicyVersion>;
  readonly targets: Set<string>;
  defaultVersion: PolicyVersion;
  lastModifiedAt: number;
  /** Version ids are never used twice. */
  nextVersion: number;
}

type KeptVersion = Omit<PolicyVersion, 'document' | 'compiled'>;

interface KeptPolicy extends Omit<Policy, 'versions' | 'defaultVersion'> {
  readonly versions: readonly KeptVersion[];
  readonly defaultVersionId: string;
}

/** The IoT policies of the account and their targets. Each version is compiled once, when it is created. */
export class PolicyStore {
  readonly #kernel: Kernel;
  readonly #onChange: () => void;
  readonly #policies = new Map<string, Policy>();
  readonly #byTarget = new Map<string, Set<Policy>>();

  /** `onChange` is called whenever an answer of the authorizer may change. */
  constructor(kernel: Kernel, onChange: () => void) {
    this.#kernel = kernel;
    this.#onChange = onChange;
  }

  get all(): Iterable<Policy> {
    return this.#policies.values();
  }

  /** @throws AwsError ResourceNotFoundException */
  get(name: string): Policy {
    const found = this.#policies.get(name);
    if (!found) throw resourceNotFound(`Policy not found with name=${name}`);
    return found;
  }

  arnOf(name: string): string {
    return this.#kernel.arn('iot', `policy/${name}`);
  }

  /** @throws AwsError ResourceAlreadyExistsException, MalformedPolicyException */
  create(name: string, text: string): Policy {
    if (this.#policies.has(name)) {
      throw resourceAlreadyExists(
        `Policy cannot be created - name already exists (name=${name})`,
        name,
        this.arnOf(name),
      );
    }
    const version = this.#version('1', text);
    const policy: Policy = {
      name,
      arn: this.arnOf(name),
      createdAt: version.createdAt,
      generationId: randomUUID(),
      versions: new Map([['1', version]]),
      targets: new Set(),
      defaultVersion: version,
      lastModifiedAt: version.createdAt,
      nextVersion: 2,
    };
    this.#policies.set(name, policy);
    return policy;
  }

  /** @throws AwsError VersionsLimitExceededException, MalformedPolicyException */
  addVersion(policy: Policy, text: string, setAsDefault: boolean): PolicyVersion {
    const version = this.#version(String(policy.nextVersion), text);
    if (policy.versions.size >= MAX_VERSIONS) {
      throw new AwsError(
        'VersionsLimitExceededException',
        `The policy ${policy.name} already has the maximum number of versions (${MAX_VERSIONS})`,
        409,
      );
    }
    policy.nextVersion += 1;
    policy.versions.set(version.id, version);
    policy.lastModifiedAt = version.createdAt;
    if (setAsDefault) this.setDefault(policy, version.id);
    return version;
  }

  /** @throws AwsError ResourceNotFoundException */
  versionOf(policy: Policy, id: string): PolicyVersion {
    const found = policy.versions.get(id);
    if (!found) throw resourceNotFound(`Policy version not found: ${policy.name} has no version ${id}`);
    return found;
  }

  setDefault(policy: Policy, id: string): void {
    policy.defaultVersion = this.versionOf(policy, id);
    policy.lastModifiedAt = this.#kernel.clock.now();
    this.#onChange();
  }

  /** @throws AwsError DeleteConflictException for the default version */
  deleteVersion(policy: Policy, id: string): void {
    if (this.versionOf(policy, id) === policy.defaultVersion) {
      throw deleteConflict(`Cannot delete the default version of a policy (name=${policy.name}, version=${id})`);
    }
    policy.versions.delete(id);
  }

  /** @throws AwsError DeleteConflictException while it is attached or has other versions */
  delete(policy: Policy): void {
    if (policy.targets.size > 0) {
      throw deleteConflict(
        `The policy cannot be deleted as the policy is attached to one or more principals (name=${policy.name})`,
      );
    }
    if (policy.versions.size > 1) {
      throw deleteConflict(
        `Cannot delete the policy because it has one or more policy versions attached to it (name=${policy.name})`,
      );
    }
    this.#policies.delete(policy.name);
  }

  attachedTo(target: string): readonly Policy[] {
    return [...(this.#byTarget.get(target) ?? [])];
  }

  /** What the authorizer evaluates, without a copy. */
  policiesOf(target: string): ReadonlySet<Policy> | undefined {
    return this.#byTarget.get(target);
  }

  /** @throws AwsError LimitExceededException */
  attach(policy: Policy, target: string): void {
    const attached = this.#byTarget.get(target) ?? new Set();
    if (!attached.has(policy) && attached.size >= MAX_POLICIES_OF_TARGET) {
      throw limitExceeded(`${target} already has ${MAX_POLICIES_OF_TARGET} policies; more are not possible`);
    }
    this.#byTarget.set(target, attached.add(policy));
    policy.targets.add(target);
    this.#onChange();
  }

  detach(policy: Policy, target: string): void {
    const attached = this.#byTarget.get(target);
    attached?.delete(policy);
    if (attached?.size === 0) this.#byTarget.delete(target);
    policy.targets.delete(target);
    this.#onChange();
  }

  *save(): Generator<KeptRecord> {
    for (const { versions, defaultVersion, ...policy } of this.#policies.values()) {
      const kept: KeptPolicy = {
        ...policy,
        versions: [...versions.values()].map(({ id, text, createdAt }) => ({ id, text, createdAt })),
        defaultVersionId: defaultVersion.id,
      };
      yield [`policy/${policy.name}`, kept];
    }
  }

  restore(records: KeptRecords): void {
    for (const { versions, defaultVersionId, ...kept } of records.all<KeptPolicy>('policy/')) {
      const compiled = versions.map((each): PolicyVersion => ({ ...each, ...compileIotPolicy(each.text) }));
      const defaultVersion = compiled.find(({ id }) => id === defaultVersionId);
      if (!defaultVersion) throw new Error(`the kept policy ${kept.name} has no version ${defaultVersionId}`);
      const policy = { ...kept, versions: new Map(compiled.map((each) => [each.id, each])), defaultVersion };
      this.#policies.set(policy.name, policy);
      for (const target of policy.targets) {
        this.#byTarget.set(target, (this.#byTarget.get(target) ?? new Set()).add(policy));
      }
    }
    this.#onChange();
  }

  #version(id: string, text: string): PolicyVersion {
    if (typeof text !== 'string' || text === '') throw invalidRequest('policyDocument is required');
    return { id, text, ...compileIotPolicy(text), createdAt: this.#kernel.clock.now() };
  }
}
