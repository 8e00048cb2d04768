/** Creates the resources of a plan, one after another, in the name of CloudFormation. */
import type { Caller } from '../kernel/caller.ts';
import { AwsError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { DeployScope } from './deploy-scope.ts';
import { generatedName } from './generated-name.ts';
import { resolve } from './intrinsics.ts';
import type { Plan, PlannedResource, PlannedStack } from './plan.ts';
import { DeploymentFailure } from './problems.ts';
import type { StackOutput, StackResource, Stacks } from './stacks.ts';

/** Deploys all stacks. Throws DeploymentFailure naming stack, logical id and type when a service refuses a resource. */
export async function deploy(plan: Plan, kernel: Kernel, stacks: Stacks): Promise<void> {
  const exported = new Map<string, string>();
  const { accountId } = kernel;
  const caller: Caller = { kind: 'deployment', arn: `arn:aws:iam::${accountId}:root`, accountId };
  for (const stack of plan.stacks) {
    const scope = new DeployScope(stack, kernel, exported);
    const resources: StackResource[] = [];
    for (const resource of stack.resources) resources.push(await create(stack, resource, scope, kernel, caller));
    const outputs = stack.outputs.map(([key, output]): StackOutput => {
      scope.at({ stackName: stack.name, logicalId: key, type: 'Output' });
      const value = String(resolve(output.Value, scope, 'Value'));
      const exportName = output.Export ? String(resolve(output.Export.Name, scope, 'Export.Name')) : undefined;
      if (exportName !== undefined) exported.set(exportName, value);
      return { key, value, description: output.Description, exportName };
    });
    stacks.add({
      name: stack.name,
      arn: stack.arn,
      description: stack.template.Description,
      createdAt: kernel.clock.now(),
      parameters: Object.fromEntries([...stack.parameters].map(([name, value]) => [name, String(value)])),
      tags: stack.tags,
      resources,
      outputs,
    });
  }
}

async function create(
  stack: PlannedStack,
  { logicalId, handler, properties }: PlannedResource,
  scope: DeployScope,
  kernel: Kernel,
  caller: Caller,
): Promise<StackResource> {
  const where = { stackName: stack.name, logicalId, type: handler.type };
  scope.at(where);
  try {
    const created = await handler.create({
      kernel,
      caller,
      stackName: stack.name,
      logicalId,
      generatedName: generatedName(stack.name, logicalId),
      // A resource's properties are an object, and resolving one gives one.
      properties: resolve(properties, scope, '') as Readonly<Record<string, unknown>>,
      assembly: stack.assets,
    });
    scope.created(logicalId, created);
    return { logicalId, physicalId: created.ref, type: handler.type, createdAt: kernel.clock.now() };
  } catch (error) {
    if (error instanceof DeploymentFailure) throw error;
    // What a service refuses is the template's fault; anything else is ours, and its stack is needed.
    const text =
      error instanceof AwsError ? `${error.code}: ${error.message}` : String((error as Error).stack ?? error);
    throw new DeploymentFailure({ ...where, path: '', message: text }, error);
  }
}
