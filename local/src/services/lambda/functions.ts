import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Permission } from '../../kernel/service.ts';
import { linkCompileCache } from './compile-cache.ts';
import { functionNotFound, invalidValue } from './errors.ts';
import { type KeptFunction, LambdaFunction } from './lambda-function.ts';

/** The files of a function by their path in its folder, as they are kept: the assembly they came from may be gone. */
interface KeptCode {
  readonly name: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

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
   * folder above it. `source` is a folder, text that becomes `index.js`, or files by their path.
   */
  unpack(
    name: string,
    source: { readonly folder: string } | { readonly text: string } | { readonly files: ReadonlyMap<string, Buffer> },
  ): string {
    if (!this.#root) {
      this.#root = mkdtempSync(path.join(tmpdir(), 'lambda-'));
      linkCompileCache(this.#root);
    }
    this.#unpacked += 1;
    const taskRoot = path.join(this.#root, `${name}-${this.#unpacked}`);
    if ('folder' in source) {
      cpSync(source.folder, taskRoot, { recursive: true });
      return taskRoot;
    }
    const files = 'files' in source ? source.files : new Map([['index.js', source.text]]);
    mkdirSync(taskRoot);
    for (const [file, content] of files) {
      mkdirSync(path.dirname(path.join(taskRoot, file)), { recursive: true });
      writeFileSync(path.join(taskRoot, file), content);
    }
    return taskRoot;
  }

  *save(): Generator<KeptRecord> {
    for (const fn of this.#functions.values()) {
      const { name, codeSha256, taskRoot } = fn.configuration;
      yield [`function/${name}`, fn.kept];
      yield [`code/${name}`, (): KeptCode => ({ name, files: filesIn(taskRoot) }), codeSha256];
    }
  }

  restore(records: KeptRecords): void {
    for (const kept of records.all<KeptFunction>('function/')) {
      const { name } = kept.configuration;
      const files = records.get<KeptCode>(`code/${name}`)?.files ?? new Map();
      const fn = new LambdaFunction(this.kernel, { ...kept.configuration, taskRoot: this.unpack(name, { files }) });
      fn.restore(kept);
      this.add(fn);
    }
  }

  /** Removes the unpacked code. */
  close(): void {
    if (this.#root) rmSync(this.#root, { recursive: true, force: true });
  }
}

function filesIn(folder: string): ReadonlyMap<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return new Map(
    entries.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return [path.relative(folder, file), readFileSync(file)];
    }),
  );
}
