import { AwsError } from '../../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { limitExceeded, resourceAlreadyExists } from '../control/errors.ts';
import { checkRuleName, compileRule, type Rule, type RuleDefinition } from './rule.ts';
import { TopicFilterTree } from './topic-filter-tree.ts';

/** https://docs.aws.amazon.com/general/latest/gr/iot-core.html#rules-limits */
const MAX_RULES = 1000;

/** The rules of the account. */
export class RuleStore {
  readonly #kernel: Kernel;
  readonly #rules = new Map<string, Rule>();
  readonly #byTopic = new TopicFilterTree<Rule>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  get all(): readonly Rule[] {
    return [...this.#rules.values()];
  }

  /** `arn:aws:iot:<region>:<account>:rule/<name>`. Throws InvalidRequestException for a name that no rule can have. */
  arnOf(name: string | undefined): string {
    return this.#kernel.arn('iot', `rule/${checkRuleName(name)}`);
  }

  find(name: string): Rule | undefined {
    return this.#rules.get(name);
  }

  /** Throws UnauthorizedException for a rule that does not exist: AWS does not tell the two apart. */
  get(name: string | undefined): Rule {
    const found = this.#rules.get(checkRuleName(name));
    if (!found) throw new AwsError('UnauthorizedException', `Access to topic rule '${name}' was denied`, 401);
    return found;
  }

  /** Compiles a definition without keeping it. */
  compile(definition: RuleDefinition): Rule {
    return compileRule(definition, this.arnOf(definition.name));
  }

  create(rule: Rule): void {
    if (this.#rules.has(rule.name))
      throw resourceAlreadyExists(`Rule ${rule.name} exists already`, rule.name, rule.arn);
    if (this.#rules.size >= MAX_RULES) throw limitExceeded(`An account has at most ${MAX_RULES} rules`);
    this.#put(rule);
  }

  replace(rule: Rule): void {
    this.#take(this.get(rule.name));
    this.#put(rule);
  }

  delete(name: string | undefined): void {
    const rule = this.get(name);
    this.#take(rule);
    this.#rules.delete(rule.name);
  }

  setEnabled(name: string | undefined, enabled: boolean): void {
    const { definition } = this.get(name);
    this.replace(this.compile({ ...definition, payload: { ...definition.payload, ruleDisabled: !enabled } }));
  }

  *save(): Generator<KeptRecord> {
    for (const { name, definition } of this.#rules.values()) yield [`rule/${name}`, definition];
  }

  restore(records: KeptRecords): void {
    for (const definition of records.all<RuleDefinition>('rule/')) this.#put(this.compile(definition));
  }

  /** The enabled rules whose filter matches a topic, given as its levels. */
  match(levels: readonly string[]): readonly Rule[] {
    return this.#byTopic.match(levels);
  }

  #put(rule: Rule): void {
    this.#rules.set(rule.name, rule);
    const { topicFilter } = rule.statement;
    if (rule.enabled && topicFilter !== undefined) this.#byTopic.add(topicFilter, rule);
  }

  #take(rule: Rule): void {
    const { topicFilter } = rule.statement;
    if (topicFilter !== undefined) this.#byTopic.remove(topicFilter, rule);
  }
}
