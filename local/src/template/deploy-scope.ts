import type { DEFERRED, Scope } from './intrinsics.ts';
import type { PlannedStack } from './plan.ts';
import { DeploymentFailure } from './problems.ts';
import { pseudoParameter } from './pseudo-parameters.ts';
import type { CreatedResource } from './resource-handler.ts';

/** References while a stack is deployed: what the resources before have given. */
export class DeployScope implements Scope {
  readonly #stack: PlannedStack;
  readonly #account: { readonly region: string; readonly accountId: string };
  readonly #exported: ReadonlyMap<string, string>;
  readonly #created = new Map<string, CreatedResource>();
  #where = { stackName: '', logicalId: '', type: '' };

  constructor(
    stack: PlannedStack,
    account: { readonly region: string; readonly accountId: string },
    exported: ReadonlyMap<string, string>,
  ) {
    this.#stack = stack;
    this.#account = { region: account.region, accountId: account.accountId };
    this.#exported = exported;
  }

  get region(): string {
    return this.#account.region;
  }

  /** What is being created now, for messages. */
  at(where: { readonly stackName: string; readonly logicalId: string; readonly type: string }): void {
    this.#where = where;
  }

  created(logicalId: string, resource: CreatedResource): void {
    this.#created.set(logicalId, resource);
  }

  ref(name: string, path: string): unknown {
    if (name.startsWith('AWS::')) return pseudoParameter(name, { ...this.#account, ...this.#stack });
    if (this.#stack.parameters.has(name)) return this.#stack.parameters.get(name);
    return this.#created.get(name)?.ref ?? this.fail(path, `${name} has no physical id`);
  }

  getAtt(logicalId: string, attribute: string, path: string): unknown {
    const resource = this.#created.get(logicalId);
    const value = resource?.attributes[attribute];
    if (value !== undefined) return value;
    const known = Object.keys(resource?.attributes ?? {}).join(', ') || 'none';
    return this.fail(
      path,
      `the runtime does not emulate the attribute ${attribute} of ${logicalId}; it knows ${known}`,
    );
  }

  condition(name: string): boolean {
    return this.#stack.conditions.get(name) ?? false;
  }

  mapping(map: string, top: string, second: string): unknown {
    return this.#stack.template.Mappings?.[map]?.[top]?.[second];
  }

  importValue(name: string, path: string): unknown {
    return this.#exported.get(name) ?? this.fail(path, `nothing is exported as ${name}`);
  }

  fail(path: string, message: string): typeof DEFERRED {
    throw new DeploymentFailure({ ...this.#where, path, message });
  }
}
