/** A resource as CloudFormation tells of it. */
export interface StackResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly createdAt: number;
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
  readonly #stacks: Stack[] = [];

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

  add(stack: Stack): void {
    this.#stacks.push(stack);
  }

  /** By name or by ARN. */
  find(nameOrArn: string): Stack | undefined {
    return this.#stacks.find(({ name, arn }) => name === nameOrArn || arn === nameOrArn);
  }
}
