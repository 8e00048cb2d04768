import type { KeptRecord, KeptRecords } from '../kernel/kept-state.ts';

/** A resource as CloudFormation tells of it. */
export interface StackResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly createdAt: number;
  /** What `Fn::GetAtt` gives. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** What it was made from, with all intrinsics resolved. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** True when it is to stay after it has gone from the template: its DeletionPolicy keeps it. */
  readonly retained: boolean;
}

export interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description: string | undefined;
  readonly exportName: string | undefined;
}

export interface Stack {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly createdAt: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly resources: readonly StackResource[];
  readonly outputs: readonly StackOutput[];
}

/** The stacks of the account, in the order in which they were deployed. */
export class Stacks {
  #stacks: Stack[] = [];

  get all(): readonly Stack[] {
    return this.#stacks;
  }

  get outputs(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return Object.fromEntries(
      this.#stacks.map(({ name, outputs }) => [
        name,
        Object.fromEntries(outputs.map(({ key, value }) => [key, value])),
      ]),
    );
  }

  /** All stacks as they are now, in the order of their deployment. */
  replace(stacks: readonly Stack[]): void {
    this.#stacks = [...stacks];
  }

  *save(): Generator<KeptRecord> {
    yield ['stacks', this.#stacks, this.#stacks];
  }

  restore(records: KeptRecords): void {
    this.#stacks = records.get<Stack[]>('stacks') ?? [];
  }

  /** By name or by ARN. */
  find(nameOrArn: string): Stack | undefined {
    return this.#stacks.find(({ name, arn }) => name === nameOrArn || arn === nameOrArn);
  }
}
