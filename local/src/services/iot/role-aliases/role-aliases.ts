import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { invalidRequest, resourceAlreadyExists, resourceNotFound } from '../control/errors.ts';

const ROLE_ARN = /^arn:[^:]+:iam::\d{12}:role\/.+$/;
const DEFAULT_SECONDS = 3600;
const SHORTEST_SECONDS = 900;
const LONGEST_SECONDS = 43_200;

export interface RoleAlias {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  roleArn: string;
  /** How long the credentials are valid. */
  durationSeconds: number;
  lastModifiedAt: number;
}

/** The role aliases of the account (https://docs.aws.amazon.com/iot/latest/developerguide/authorizing-direct-aws.html). */
export class RoleAliases {
  readonly #kernel: Kernel;
  readonly #aliases = new Map<string, RoleAlias>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get all(): Iterable<RoleAlias> {
    return this.#aliases.values();
  }

  find(name: string): RoleAlias | undefined {
    return this.#aliases.get(name);
  }

  /** @throws AwsError ResourceNotFoundException */
  get(name: string): RoleAlias {
    const found = this.#aliases.get(name);
    if (!found) throw resourceNotFound(`Role alias ${name} not found`);
    return found;
  }

  /** @throws AwsError ResourceAlreadyExistsException, InvalidRequestException */
  create(name: string, roleArn: string, durationSeconds: number = DEFAULT_SECONDS): RoleAlias {
    const arn = this.#kernel.arn('iot', `rolealias/${name}`);
    if (this.#aliases.has(name)) throw resourceAlreadyExists(`Role alias ${name} already exists`, name, arn);
    const createdAt = this.#kernel.clock.now();
    const alias: RoleAlias = {
      name,
      arn,
      createdAt,
      roleArn: checkRoleArn(roleArn),
      durationSeconds: checkDuration(durationSeconds),
      lastModifiedAt: createdAt,
    };
    this.#aliases.set(name, alias);
    return alias;
  }

  /** What is undefined stays. Throws ResourceNotFoundException, InvalidRequestException. */
  update(name: string, roleArn: string | undefined, durationSeconds: number | undefined): RoleAlias {
    const alias = this.get(name);
    const newRoleArn = checkRoleArn(roleArn ?? alias.roleArn);
    alias.durationSeconds = checkDuration(durationSeconds ?? alias.durationSeconds);
    alias.roleArn = newRoleArn;
    alias.lastModifiedAt = this.#kernel.clock.now();
    return alias;
  }

  *save(): Generator<KeptRecord> {
    for (const alias of this.#aliases.values()) yield [`roleAlias/${alias.name}`, alias];
  }

  restore(records: KeptRecords): void {
    for (const alias of records.all<RoleAlias>('roleAlias/')) this.#aliases.set(alias.name, alias);
  }

  /** @throws AwsError ResourceNotFoundException */
  delete(name: string): RoleAlias {
    const alias = this.get(name);
    this.#aliases.delete(name);
    return alias;
  }
}

function checkRoleArn(arn: string): string {
  if (ROLE_ARN.test(arn)) return arn;
  throw invalidRequest(`roleArn is ${JSON.stringify(arn)}; it has to be the ARN of a role`);
}

function checkDuration(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= SHORTEST_SECONDS && seconds <= LONGEST_SECONDS) return seconds;
  throw invalidRequest(
    `credentialDurationSeconds is ${seconds}; it has to be ${SHORTEST_SECONDS} to ${LONGEST_SECONDS}`,
  );
}
