import { DEFERRED, evaluateCondition, resolve, type Scope } from './intrinsics.ts';
import { pseudoParameter } from './pseudo-parameters.ts';
import type { Template, TemplateOutput } from './template.ts';

export interface PlannedNames {
  readonly region: string;
  readonly accountId: string;
  readonly name: string;
  readonly arn: string;
  readonly template: Template;
  readonly parameters: ReadonlyMap<string, unknown>;
  /** Names that the stacks before this one export; this stack's are added. */
  readonly exportNames: Set<string>;
}

type Report = (path: string, message: string) => void;

/** References as the plan sees them: what a resource will give is DEFERRED, what does not exist is reported. */
export class PlanScope implements Scope {
  readonly conditions = new Map<string, boolean>();
  readonly #names: PlannedNames;
  readonly #references = new Set<string>();
  readonly #evaluating = new Set<string>();
  #report: Report = () => undefined;

  constructor(names: PlannedNames) {
    this.#names = names;
  }

  get region(): string {
    return this.#names.region;
  }

  /** Runs `work` with its problems reported to `report`. */
  inspect<T>(report: Report, work: () => T): T {
    this.#report = report;
    return work();
  }

  evaluateConditions(): void {
    for (const name of Object.keys(this.#names.template.Conditions ?? {})) this.condition(name, name);
  }

  /** False for a resource whose condition does not hold. */
  exists(logicalId: string): boolean {
    const condition = this.#names.template.Resources?.[logicalId]?.Condition;
    return condition === undefined || this.condition(condition, 'Condition');
  }

  resolveProperties(properties: Readonly<Record<string, unknown>>): unknown {
    this.#references.clear();
    return resolve(properties, this, '');
  }

  /** Logical ids that the properties resolved last refer to. */
  takeReferences(): readonly string[] {
    return [...this.#references];
  }

  /** Reports what is wrong with an output; false when its condition does not hold. */
  checkOutput(output: TemplateOutput): boolean {
    if (output.Condition !== undefined && !this.condition(output.Condition, 'Condition')) return false;
    resolve(output.Value, this, 'Value');
    if (output.Export === undefined) return true;
    const name = resolve(output.Export.Name, this, 'Export.Name');
    if (typeof name !== 'string') this.fail('Export.Name', 'the name must be known before the deployment');
    else if (this.#names.exportNames.has(name)) this.fail('Export.Name', `${name} is exported twice`);
    else this.#names.exportNames.add(name);
    return true;
  }

  ref(name: string, path: string): unknown {
    if (name.startsWith('AWS::')) {
      return pseudoParameter(name, this.#names) ?? this.fail(path, `there is no pseudo parameter ${name}`);
    }
    if (this.#names.parameters.has(name)) return this.#names.parameters.get(name);
    return this.#resource(name, path);
  }

  getAtt(logicalId: string, _attribute: string, path: string): unknown {
    return this.#resource(logicalId, path);
  }

  condition(name: string, path: string): boolean {
    const known = this.conditions.get(name);
    if (known !== undefined) return known;
    const { Conditions = {} } = this.#names.template;
    if (!Object.hasOwn(Conditions, name) || this.#evaluating.has(name)) {
      this.fail(
        path,
        this.#evaluating.has(name) ? `the condition ${name} depends on itself` : `there is no condition ${name}`,
      );
      return false;
    }
    this.#evaluating.add(name);
    const value = evaluateCondition(Conditions[name], this, name);
    this.#evaluating.delete(name);
    this.conditions.set(name, value);
    return value;
  }

  mapping(map: string, top: string, second: string, path: string): unknown {
    const value = this.#names.template.Mappings?.[map]?.[top]?.[second];
    return value ?? this.fail(path, `there is no mapping ${map}.${top}.${second}`);
  }

  importValue(name: string, path: string): unknown {
    return this.#names.exportNames.has(name) ? DEFERRED : this.fail(path, `no stack before this one exports ${name}`);
  }

  fail(path: string, message: string): typeof DEFERRED {
    this.#report(path, message);
    return DEFERRED;
  }

  #resource(logicalId: string, path: string): unknown {
    if (!Object.hasOwn(this.#names.template.Resources ?? {}, logicalId)) {
      return this.fail(path, `there is no resource or parameter ${logicalId}`);
    }
    if (!this.exists(logicalId))
      return this.fail(path, `the condition of ${logicalId} does not hold, so it does not exist`);
    this.#references.add(logicalId);
    return DEFERRED;
  }
}
