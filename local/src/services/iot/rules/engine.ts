import type { Kernel } from '../../../kernel/kernel.ts';
import { ruleIncrements } from '../metering.ts';
import type { IotMessage } from '../types.ts';
import { externalServices } from './external-services.ts';
import { RoleSessions } from './role-sessions.ts';
import type { Rule } from './rule.ts';
import { RuleMetrics } from './rule-metrics.ts';
import type { RuleStore } from './rule-store.ts';
import { type Failure, runAction } from './run-action.ts';
import type { Outcome } from './sql/compile-statement.ts';
import type { CallExternal } from './sql/external-call.ts';
import { RuleMessage } from './sql/rule-message.ts';
import type { Scope } from './sql/scope.ts';
import { SelectedPayload } from './sql/selected-payload.ts';

const BASIC_INGEST = '$aws/rules/';

/** Runs the rules for every message (https://docs.aws.amazon.com/iot/latest/developerguide/iot-rules.html). */
export class RulesEngine {
  readonly #kernel: Kernel;
  readonly #rules: RuleStore;
  readonly #metrics: RuleMetrics;
  readonly #sessions: RoleSessions;
  readonly #externalFor: (rule: Rule) => CallExternal;

  constructor(kernel: Kernel, rules: RuleStore) {
    this.#kernel = kernel;
    this.#rules = rules;
    this.#metrics = new RuleMetrics(kernel);
    this.#sessions = new RoleSessions(kernel);
    this.#externalFor = externalServices(kernel, this.#sessions);
  }

  /** Evaluates SQL at once; a promise settles when all actions have ended. */
  handle(source: IotMessage): Promise<unknown> | undefined {
    if (source.topic.startsWith(BASIC_INGEST)) return this.#basicIngest(source);
    const message = new RuleMessage(source);
    let running: Promise<void>[] | undefined;
    for (const rule of this.#rules.match(message.segments)) {
      const run = this.#run(rule, message);
      if (run) running = running ? [...running, run] : [run];
    }
    return running && Promise.all(running);
  }

  /**
   * `$aws/rules/<rule>/<topic>` goes to that rule only, whatever its filter is
   * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-basic-ingest.html).
   */
  #basicIngest(source: IotMessage): Promise<void> | undefined {
    const end = source.topic.indexOf('/', BASIC_INGEST.length);
    const name = end < 0 ? source.topic.slice(BASIC_INGEST.length) : source.topic.slice(BASIC_INGEST.length, end);
    const rule = this.#rules.find(name);
    if (rule?.enabled) return this.#run(rule, new RuleMessage(source, end < 0 ? '' : source.topic.slice(end + 1)));
    this.#metrics.count('RuleNotFound', name);
    const { topic, clientId, traceId } = source;
    const why = rule ? 'the rule is disabled' : 'there is no such rule';
    this.#kernel.log.warn(`Basic Ingest message dropped: ${why}`, { rule: name, topic, clientId, traceId });
    return undefined;
  }

  #run(rule: Rule, message: RuleMessage): Promise<void> | undefined {
    this.#metrics.count('TopicMatch', rule.name);
    this.#kernel.meter.add('iotRule', rule.name, ruleIncrements(message.source));
    const { accountId } = this.#kernel;
    const callExternal = this.#externalFor(rule);
    const outcome = rule.statement.evaluate(message, { accountId, callExternal });
    if (outcome instanceof Promise) return outcome.then((given) => this.#act(rule, message, given, callExternal));
    return this.#act(rule, message, outcome, callExternal);
  }

  #act(rule: Rule, message: RuleMessage, outcome: Outcome, callExternal: CallExternal): Promise<void> | undefined {
    if (outcome.kind === 'skipped') return undefined;
    if (outcome.kind === 'failed') {
      if (outcome.cause === 'parse-error') this.#metrics.count('ParseError', rule.name);
      this.#warn('rule SQL failed', rule, message, { error: outcome.message });
      return undefined;
    }
    this.#metrics.count('RulesExecuted');
    if (rule.actions.length === 0) return undefined;
    return this.#runActions(rule, message, outcome.payload, outcome.scope, callExternal);
  }

  async #runActions(
    rule: Rule,
    message: RuleMessage,
    payload: SelectedPayload,
    scope: Scope,
    callExternal: CallExternal,
  ): Promise<void> {
    const counted = rule.actions.filter(({ isBatched }) => !isBatched).length;
    if (counted > 0) this.#kernel.meter.add('iotAction', rule.name, counted * ruleIncrements(message.source));
    const results = await Promise.all(
      rule.actions.map(async (action) => {
        const failure = await runAction(this.#kernel, this.#sessions, { rule, action, payload, scope, callExternal });
        this.#metrics.count(failure ? 'Failure' : 'Success', rule.name, action.kind.actionType);
        if (failure) this.#warn('rule action failed', rule, message, { action: action.name, ...failure });
        return failure;
      }),
    );
    const failures = results.filter((each) => each !== undefined);
    if (failures.length > 0) await this.#runErrorAction(rule, message, scope, callExternal, failures);
  }

  /** One document for all failures of a message; an error action has no error action of its own. */
  async #runErrorAction(
    rule: Rule,
    message: RuleMessage,
    scope: Scope,
    callExternal: CallExternal,
    failures: readonly Failure[],
  ): Promise<void> {
    const action = rule.errorAction;
    if (!action) return;
    this.#kernel.meter.add('iotAction', rule.name, ruleIncrements(message.source));
    const payload = new SelectedPayload({
      ruleName: rule.name,
      topic: message.topic,
      cloudwatchTraceId: message.source.traceId,
      clientId: message.source.clientId ?? 'n/a',
      base64OriginalPayload: message.source.payload.toString('base64'),
      failures: failures.map((each) => ({ ...each })),
    });
    const failure = await runAction(this.#kernel, this.#sessions, { rule, action, payload, scope, callExternal });
    this.#metrics.count(failure ? 'ErrorActionFailure' : 'ErrorActionSuccess', rule.name, action.kind.actionType);
    if (failure) this.#warn('error action failed', rule, message, { action: action.name, ...failure });
  }

  #warn(what: string, rule: Rule, { source }: RuleMessage, fields: Readonly<Record<string, unknown>>): void {
    const { topic, clientId, traceId } = source;
    this.#kernel.log.warn(what, { rule: rule.name, topic, clientId, traceId, ...fields });
  }
}
