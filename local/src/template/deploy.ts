/**
 * Applies a plan to the account in the name of CloudFormation: what is new is created, what exists from an earlier start
 * stays or is changed, and what is no longer in a template is removed.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '../kernel/caller.ts';
import { AwsError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { DeployScope } from './deploy-scope.ts';
import { generatedName } from './generated-name.ts';
import { resolve } from './intrinsics.ts';
import type { Plan, PlannedResource, PlannedStack } from './plan.ts';
import { DeploymentFailure } from './problems.ts';
import type { AssetSource, CreatedResource, ResourceHandler, ResourceRequest } from './resource-handler.ts';
import type { Stack, StackOutput, StackResource, Stacks } from './stacks.ts';

/** Where deleted resources had their assets: nowhere any more. */
const NO_ASSETS: AssetSource = { findAsset: () => undefined };

/**
 * Deploys all stacks; `handlers` know how resources go that are no longer in a template.
 *
 * @throws DeploymentFailure naming stack, logical id and type when a service refuses a resource, or a change of it
 */
export async function deploy(
  plan: Plan,
  kernel: Kernel,
  stacks: Stacks,
  handlers: readonly ResourceHandler[],
): Promise<void> {
  const deployment = new Deployment(kernel, stacks, handlers);
  await deployment.run(plan);
}

class Deployment {
  readonly #kernel: Kernel;
  readonly #stacks: Stacks;
  readonly #handlers: ReadonlyMap<string, ResourceHandler>;
  readonly #caller: Caller;
  readonly #exported = new Map<string, string>();

  constructor(kernel: Kernel, stacks: Stacks, handlers: readonly ResourceHandler[]) {
    const { accountId } = kernel;
    this.#kernel = kernel;
    this.#stacks = stacks;
    this.#handlers = new Map(handlers.map((each) => [each.type, each]));
    this.#caller = { kind: 'deployment', arn: `arn:aws:iam::${accountId}:root`, accountId };
  }

  async run(plan: Plan): Promise<void> {
    const before = this.#stacks.all;
    const after: Stack[] = [];
    for (const stack of plan.stacks) {
      after.push(
        await this.#deployStack(
          stack,
          before.find(({ name }) => name === stack.name),
        ),
      );
    }
    // Last, as CloudFormation cleans up: whatever used them has changed by now.
    for (const stack of before.toReversed()) {
      const kept = after.find(({ name }) => name === stack.name)?.resources ?? [];
      const ids = new Set(kept.map(({ logicalId }) => logicalId));
      for (const resource of stack.resources.toReversed()) {
        if (!ids.has(resource.logicalId)) await this.#remove(stack.name, resource);
      }
    }
    this.#stacks.replace(after);
  }

  async #deployStack(stack: PlannedStack, before: Stack | undefined): Promise<Stack> {
    const scope = new DeployScope(stack, this.#kernel, this.#exported);
    const resources: StackResource[] = [];
    for (const resource of stack.resources) {
      const existing = before?.resources.find(({ logicalId }) => logicalId === resource.logicalId);
      resources.push(await this.#deployResource(stack, resource, existing, scope));
    }
    const outputs = stack.outputs.map(([key, output]): StackOutput => {
      scope.at({ stackName: stack.name, logicalId: key, type: 'Output' });
      const value = String(resolve(output.Value, scope, 'Value'));
      const exportName = output.Export ? String(resolve(output.Export.Name, scope, 'Export.Name')) : undefined;
      if (exportName !== undefined) this.#exported.set(exportName, value);
      return { key, value, description: output.Description, exportName };
    });
    return {
      name: stack.name,
      arn: stack.arn,
      description: stack.template.Description,
      createdAt: before?.createdAt ?? this.#kernel.clock.now(),
      parameters: Object.fromEntries([...stack.parameters].map(([name, value]) => [name, String(value)])),
      tags: stack.tags,
      resources,
      outputs,
    };
  }

  async #deployResource(
    stack: PlannedStack,
    { logicalId, handler, properties: given, retained }: PlannedResource,
    existing: StackResource | undefined,
    scope: DeployScope,
  ): Promise<StackResource> {
    const where = { stackName: stack.name, logicalId, type: handler.type };
    scope.at(where);
    return this.#naming(where, async () => {
      // A resource's properties are an object, and resolving one gives one.
      const properties = resolve(given, scope, '') as Readonly<Record<string, unknown>>;
      const request = this.#request(stack.name, logicalId, properties, stack.assets);
      const created = await this.#apply(handler, request, existing);
      scope.created(logicalId, created);
      const { ref: physicalId, attributes } = created;
      const createdAt = existing?.createdAt ?? this.#kernel.clock.now();
      return { logicalId, physicalId, type: handler.type, createdAt, attributes, properties, retained };
    });
  }

  async #apply(
    handler: ResourceHandler,
    request: ResourceRequest,
    existing: StackResource | undefined,
  ): Promise<CreatedResource> {
    if (!existing || handler.declaredOnly) return handler.create(request);
    if (existing.type !== handler.type) {
      throw refused(`it was a ${existing.type} before, and a logical id cannot change its type`);
    }
    const before = { ref: existing.physicalId, attributes: existing.attributes, properties: existing.properties };
    const changed = changedNames(before.properties, request.properties);
    if (changed.length === 0) return before;
    const { update } = handler;
    const fixed = update?.properties === 'all' ? [] : changed.filter((name) => !update?.properties.includes(name));
    if (!update || fixed.length > 0) throw refused(`${fixed.join(', ')} cannot change in place`);
    if (typeof update.by === 'function') return update.by(request, before);
    if (update.by === 'replace') {
      await handler.delete?.({ ...request, properties: before.properties }, before);
    }
    return handler.create(request);
  }

  async #remove(stackName: string, resource: StackResource): Promise<void> {
    const { logicalId, type, physicalId, attributes, properties, retained } = resource;
    const where = { stackName, logicalId, type };
    const handler = this.#handlers.get(type);
    if (handler?.declaredOnly) return;
    if (retained) {
      this.#kernel.log.warn('a resource is no longer in the template and stays, as its DeletionPolicy says', {
        ...where,
        physicalId,
      });
      return;
    }
    const request = this.#request(stackName, logicalId, properties, NO_ASSETS);
    await this.#naming(where, async () => handler?.delete?.(request, { ref: physicalId, attributes }));
    this.#kernel.log.warn('a resource is no longer in the template and was removed', { ...where, physicalId });
  }

  #request(
    stackName: string,
    logicalId: string,
    properties: ResourceRequest['properties'],
    assembly: AssetSource,
  ): ResourceRequest {
    return {
      stackName,
      logicalId,
      kernel: this.#kernel,
      caller: this.#caller,
      generatedName: generatedName(stackName, logicalId),
      properties,
      assembly,
    };
  }

  /** Runs `work` on one resource; what fails is told with its name. */
  async #naming<T>(
    where: { readonly stackName: string; readonly logicalId: string; readonly type: string },
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof DeploymentFailure) throw error;
      // What a service refuses is the template's fault; anything else is ours, and its stack is needed.
      const text =
        error instanceof AwsError ? `${error.code}: ${error.message}` : String((error as Error).stack ?? error);
      throw new DeploymentFailure({ ...where, path: '', message: text }, error);
    }
  }
}

function changedNames(before: object, after: object): readonly string[] {
  const was = new Map(Object.entries(before));
  const is = new Map(Object.entries(after));
  return [...new Set([...was.keys(), ...is.keys()])].filter((name) => !isDeepStrictEqual(was.get(name), is.get(name)));
}

function refused(reason: string): AwsError {
  return new AwsError(
    'NotEmulated',
    `the kept state has this resource, and ${reason}. Undo the change, or remove the folder given with --data to begin anew.`,
    501,
  );
}
