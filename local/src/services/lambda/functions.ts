import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import { functionNotFound, invalidValue } from './errors.ts';
import type { LambdaFunction } from './lambda-function.ts';

/** The functions of the account, and the folder their code is unpacked to. */
export class Functions {
  readonly kernel: Kernel;
  readonly #functions = new Map<string, LambdaFunction>();
  #root: string | undefined;
  #unpacked = 0;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly LambdaFunction[] {
    return [...this.#functions.values()];
  }

  add(fn: LambdaFunction): void {
    this.#functions.set(fn.configuration.name, fn);
  }

  remove(fn: LambdaFunction): void {
    this.#functions.delete(fn.configuration.name);
  }

  has(name: string): boolean {
    return this.#functions.has(name);
  }

  /**
   * A function by name, ARN or `account:function:name`, each with or without `:$LATEST`.
   *
   * @throws AwsError ResourceNotFoundException, also for versions and aliases
   */
  get(nameOrArn: string | undefined, qualifier?: string): LambdaFunction {
    const match =
      /^(?:(?:arn:aws:lambda:[^:]+:)?(?<account>\d{12}):function:)?(?<name>[\w-]{1,64})(?::(?<version>[\w$-]+))?$/.exec(
        nameOrArn ?? '',
      );
    if (!match?.groups) {
      throw invalidValue(`FunctionName ${nameOrArn} is invalid: it is a name, a partial ARN or an ARN of a function.`);
    }
    const { account, name = '', version } = match.groups;
    const fn = this.#functions.get(name);
    const wanted = qualifier ?? version ?? '$LATEST';
    if (!fn || wanted !== '$LATEST' || (account !== undefined && account !== this.kernel.accountId)) {
      const suffix = wanted === '$LATEST' ? '' : `:${wanted}`;
      throw functionNotFound(`${this.kernel.arn('lambda', `function:${name}`)}${suffix}`);
    }
    return fn;
  }

  /** The permission for an action on a function; its own policy takes part in the decision. */
  permission(action: string, nameOrArn: string | undefined, qualifier?: string): Permission {
    const { arn, policy } = this.get(nameOrArn, qualifier);
    return { action: `lambda:${action}`, resource: arn, resourcePolicy: policy };
  }

  /**
   * Copies code to a folder of its own, as Lambda unpacks it: what is not in the bundle cannot be found by chance in a
   * folder above it. `source` is a folder, or text that becomes `index.js`.
   */
  unpack(name: string, source: { readonly folder: string } | { readonly text: string }): string {
    this.#root ??= mkdtempSync(path.join(tmpdir(), 'lambda-'));
    this.#unpacked += 1;
    const taskRoot = path.join(this.#root, `${name}-${this.#unpacked}`);
    if ('folder' in source) {
      cpSync(source.folder, taskRoot, { recursive: true });
    } else {
      mkdirSync(taskRoot);
      writeFileSync(path.join(taskRoot, 'index.js'), source.text);
    }
    return taskRoot;
  }

  /** Removes the unpacked code. */
  close(): void {
    if (this.#root) rmSync(this.#root, { recursive: true, force: true });
  }
}
