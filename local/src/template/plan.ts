/** What a deployment will create, and in which order. Everything that can be wrong is found before anything is created. */
import { type AssemblyStack, readAssembly } from './assembly.ts';
import { stackArn } from './generated-name.ts';
import { inOrder } from './order.ts';
import { parameterValues } from './parameters.ts';
import { PlanScope } from './plan-scope.ts';
import { type Problem, TemplateProblems } from './problems.ts';
import { checkProperties } from './property-check.ts';
import type { AssetSource, ResourceHandler } from './resource-handler.ts';
import { KNOWN_ATTRIBUTES, KNOWN_SECTIONS, type Template, type TemplateOutput } from './template.ts';
import { unknownType } from './unknown-type.ts';

export interface PlannedResource {
  readonly logicalId: string;
  readonly handler: ResourceHandler;
  readonly properties: Readonly<Record<string, unknown>>;
  /** True when it stays, by its DeletionPolicy, after it has gone from the template. */
  readonly retained: boolean;
}

export interface PlannedStack {
  readonly name: string;
  readonly arn: string;
  readonly template: Template;
  readonly tags: Readonly<Record<string, string>>;
  readonly parameters: ReadonlyMap<string, unknown>;
  /** Values of the Conditions section. */
  readonly conditions: ReadonlyMap<string, boolean>;
  readonly resources: readonly PlannedResource[];
  readonly outputs: readonly (readonly [key: string, output: TemplateOutput])[];
  readonly assets: AssetSource;
}

export interface Plan {
  readonly stacks: readonly PlannedStack[];
  readonly declaredOnly: readonly { readonly type: string; readonly stackName: string; readonly logicalId: string }[];
}

export interface PlanAccount {
  readonly accountId: string;
  readonly region: string;
}

/**
 * Reads and checks a cloud assembly.
 *
 * @throws TemplateProblems with everything that stands in the way; AssemblyError when the folder cannot be read
 */
export function planAssembly(folder: string, handlers: readonly ResourceHandler[], account: PlanAccount): Plan {
  const byType = new Map(handlers.map((each) => [each.type, each]));
  const problems: Problem[] = [];
  const exportNames = new Set<string>();
  const stacks = readAssembly(folder).map((stack) => planStack(stack, byType, account, exportNames, problems));
  if (problems.length > 0) throw new TemplateProblems(problems);
  const declaredOnly = stacks.flatMap(({ name, resources }) =>
    resources
      .filter(({ handler }) => handler.declaredOnly)
      .map(({ handler, logicalId }) => ({ type: handler.type, stackName: name, logicalId })),
  );
  return { stacks, declaredOnly };
}

function planStack(
  stack: AssemblyStack,
  handlers: ReadonlyMap<string, ResourceHandler>,
  account: PlanAccount,
  exportNames: Set<string>,
  problems: Problem[],
): PlannedStack {
  const { name, template } = stack;
  const report = (logicalId: string, type: string, path: string, message: string) => {
    problems.push({ stackName: name, logicalId, type, path, message });
  };
  checkStack(stack, account, (message) => report('', '', '', message));
  const parameters = parameterValues(template.Parameters, stack.parameters, (id, type, message) =>
    report(id, type, '', message),
  );
  const arn = stackArn(account.region, account.accountId, name);
  const scope = new PlanScope({ ...account, name, arn, template, parameters, exportNames });
  scope.inspect(
    (path, message) => report('', 'Conditions', path, message),
    () => scope.evaluateConditions(),
  );
  const resources = planResources(scope, template, handlers, report);
  const outputs = Object.entries(template.Outputs ?? {}).filter(([key, output]) =>
    scope.inspect(
      (path, message) => report(key, 'Output', path, message),
      () => scope.checkOutput(output),
    ),
  );
  return {
    ...{ name, arn, template, tags: stack.tags, parameters, conditions: scope.conditions },
    ...{ resources, outputs, assets: stack.assets },
  };
}

function checkStack(
  { accountId, region, template }: AssemblyStack,
  account: PlanAccount,
  report: (message: string) => void,
): void {
  if (accountId !== undefined && accountId !== account.accountId) {
    report(`the stack is bound to account ${accountId}; start the runtime with --account ${accountId}`);
  }
  if (region !== undefined && region !== account.region) {
    report(`the stack is bound to ${region}; start the runtime with --region ${region}`);
  }
  for (const section of Object.keys(template)) {
    if (!KNOWN_SECTIONS.has(section)) report(`the section ${section} is not emulated`);
  }
  for (const rule of Object.keys(template.Rules ?? {})) {
    // The one rule that CDK writes itself asks for a bootstrap stack, which is not needed here.
    if (rule !== 'CheckBootstrapVersion') report(`the rule ${rule} of section Rules is not emulated`);
  }
}

type Report = (logicalId: string, type: string, path: string, message: string) => void;

function planResources(
  scope: PlanScope,
  template: Template,
  handlers: ReadonlyMap<string, ResourceHandler>,
  report: Report,
): readonly PlannedResource[] {
  const planned = new Map<string, PlannedResource>();
  const dependencies = new Map<string, readonly string[]>();
  for (const [logicalId, resource] of Object.entries(template.Resources ?? {})) {
    const { Type: type, Properties: properties = {}, DependsOn = [] } = resource;
    const problem = (path: string, message: string) => report(logicalId, type, path, message);
    for (const attribute of Object.keys(resource)) {
      if (!KNOWN_ATTRIBUTES.has(attribute)) problem(attribute, 'the runtime does not emulate this attribute');
    }
    const handler = handlers.get(type);
    if (!handler) problem('', unknownType(type));
    const explicit = [DependsOn].flat();
    for (const id of explicit) {
      if (!Object.hasOwn(template.Resources ?? {}, id)) problem('DependsOn', `there is no resource ${id}`);
    }
    let used: readonly string[] = [];
    const exists = scope.inspect(problem, () => {
      if (!scope.exists(logicalId)) return false;
      const resolved = scope.resolveProperties(properties);
      used = scope.takeReferences();
      if (handler) checkProperties(resolved, handler.properties, '', problem);
      return true;
    });
    if (!exists || !handler) continue;
    const retained = /^(Retain|RetainExceptOnCreate|Snapshot)$/.test(resource.DeletionPolicy ?? 'Delete');
    planned.set(logicalId, { logicalId, handler, properties, retained });
    dependencies.set(logicalId, [...explicit, ...used]);
  }
  const { ordered, cycle } = inOrder([...planned.keys()], (id) => dependencies.get(id) ?? []);
  if (cycle) {
    const [first = ''] = cycle;
    report(first, planned.get(first)?.handler.type ?? '', '', `depends on itself through ${cycle.join(' -> ')}`);
  }
  return (ordered ?? []).flatMap((id) => planned.get(id) ?? []);
}
