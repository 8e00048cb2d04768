import { randomUUID } from 'node:crypto';
import { parseArn } from '../../kernel/arn.ts';
import type { Timer } from '../../kernel/clock.ts';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { recordMetrics } from '../cloudwatch/record-metrics.ts';
import { compileEventPattern, type Matcher } from './event-pattern.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

export interface Target {
  readonly id: string;
  readonly arn: string;
  /** Constant text instead of the event. */
  readonly input: string | undefined;
  /** The part of the event that is sent: `$.detail`. */
  readonly inputPath: string | undefined;
  readonly deadLetterArn: string | undefined;
}

export interface RuleSettings {
  readonly description: string | undefined;
  readonly eventPattern: string | undefined;
  readonly matches: Matcher | undefined;
  readonly scheduleExpression: string | undefined;
  readonly schedule: Schedule | undefined;
}

/** Reads pattern and schedule. Throws what they throw. */
export function ruleSettings(
  given: Pick<RuleSettings, 'description' | 'eventPattern' | 'scheduleExpression'>,
): RuleSettings {
  const { description, eventPattern, scheduleExpression } = given;
  return {
    description,
    eventPattern,
    matches: eventPattern === undefined ? undefined : compileEventPattern(eventPattern),
    scheduleExpression,
    schedule: scheduleExpression === undefined ? undefined : parseSchedule(scheduleExpression),
  };
}

interface KeptRule {
  readonly name: string;
  readonly settings: Parameters<typeof ruleSettings>[0];
  readonly enabled: boolean;
  readonly targets: ReadonlyMap<string, Target>;
  /** When its schedule comes next; what came due meanwhile runs at once, once. */
  readonly nextAt: number | undefined;
}

export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** One rule of the default bus. */
export class Rule {
  readonly name: string;
  readonly arn: string;
  settings: RuleSettings;
  enabled = false;
  /** When its schedule comes next. */
  nextAt: number | undefined;
  readonly targets = new Map<string, Target>();
  timer: Timer | undefined;

  constructor(name: string, arn: string, settings: RuleSettings) {
    this.name = name;
    this.arn = arn;
    this.settings = settings;
  }
}

/** The rules of the default event bus: matches events, keeps schedules, sends to targets. */
export class Rules {
  readonly kernel: Kernel;
  readonly #rules = new Map<string, Rule>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get all(): readonly Rule[] {
    return [...this.#rules.values()];
  }

  find(name: string | undefined): Rule | undefined {
    return this.#rules.get(name ?? '');
  }

  put(name: string, settings: RuleSettings): Rule {
    const rule = this.#rules.get(name) ?? new Rule(name, this.kernel.arn('events', `rule/${name}`), settings);
    this.#rules.set(name, rule);
    rule.settings = settings;
    return rule;
  }

  delete(rule: Rule): void {
    this.enable(rule, false);
    this.#rules.delete(rule.name);
  }

  *save(): Generator<KeptRecord> {
    for (const { name, settings, enabled, targets, nextAt } of this.#rules.values()) {
      const { description, eventPattern, scheduleExpression } = settings;
      const given = { description, eventPattern, scheduleExpression };
      yield [`rule/${name}`, { name, settings: given, enabled, targets, nextAt } satisfies KeptRule];
    }
  }

  restore(records: KeptRecords): void {
    for (const { name, settings, enabled, targets, nextAt } of records.all<KeptRule>('rule/')) {
      const rule = this.put(name, ruleSettings(settings));
      for (const [id, target] of targets) rule.targets.set(id, target);
      rule.enabled = enabled;
      if (nextAt !== undefined) this.#schedule(rule, nextAt);
    }
  }

  enable(rule: Rule, enabled: boolean): void {
    rule.timer?.cancel();
    rule.nextAt = undefined;
    rule.enabled = enabled;
    if (enabled) this.#scheduleNext(rule, this.kernel.clock.now());
  }

  /** Sends an event to the targets of every rule that matches, in the background. */
  publish(event: BusEvent): void {
    for (const rule of this.#rules.values()) {
      if (rule.enabled && rule.settings.matches?.(event)) this.#send(rule, event);
    }
  }

  #scheduleNext(rule: Rule, after: number): void {
    const next = rule.settings.schedule?.(after);
    rule.nextAt = undefined;
    if (next !== undefined) this.#schedule(rule, next);
  }

  #schedule(rule: Rule, next: number): void {
    rule.nextAt = next;
    rule.timer = this.kernel.clock.at(next, () => {
      this.#scheduleNext(rule, next);
      this.#send(rule, {
        version: '0',
        id: randomUUID(),
        'detail-type': 'Scheduled Event',
        source: 'aws.events',
        account: this.kernel.accountId,
        time: new Date(Math.floor(next / 1000) * 1000).toISOString().replace('.000', ''),
        region: this.kernel.region,
        resources: [rule.arn],
        detail: {},
      });
    });
  }

  #send(rule: Rule, event: BusEvent): void {
    for (const target of rule.targets.values()) {
      this.kernel.activity.track(() => this.#sendTo(rule, target, event));
    }
  }

  async #sendTo(rule: Rule, target: Target, event: BusEvent): Promise<void> {
    const body = bodyFor(target, event);
    let metricName = 'Invocations';
    try {
      await this.#call(rule, target.arn, body);
    } catch (error) {
      metricName = 'FailedInvocations';
      this.kernel.log.warn('EventBridge could not reach a target', { rule: rule.name, target: target.arn, error });
      if (target.deadLetterArn !== undefined) await this.#deadLetter(rule, target.deadLetterArn, body);
    }
    const caller = this.kernel.serviceCaller('events.amazonaws.com', rule.arn);
    const metric = {
      namespace: 'AWS/Events',
      metricName,
      dimensions: { RuleName: rule.name },
      value: 1,
      unit: 'Count',
    };
    await recordMetrics(this.kernel, caller, [metric]);
  }

  async #deadLetter(rule: Rule, queueArn: string, body: string): Promise<void> {
    try {
      await this.#call(rule, queueArn, body);
    } catch (error) {
      this.kernel.log.error('EventBridge lost an event', { rule: rule.name, deadLetterQueue: queueArn, error });
    }
  }

  /** As the service: the target's own policy decides. */
  async #call(rule: Rule, targetArn: string, body: string): Promise<void> {
    const { kernel } = this;
    const caller = kernel.serviceCaller('events.amazonaws.com', rule.arn);
    const arn = parseArn(targetArn);
    if (arn?.service === 'sqs') {
      const QueueUrl = `${kernel.endpoint}/${arn.accountId}/${arn.resource}`;
      await kernel.call('sqs', 'SendMessage', { QueueUrl, MessageBody: body }, caller);
    } else if (arn?.service === 'sns') {
      await kernel.call('sns', 'Publish', { TopicArn: targetArn, Message: body }, caller);
    } else {
      const input = { FunctionName: targetArn, InvocationType: 'Event', Payload: Buffer.from(body) };
      await kernel.call('lambda', 'Invoke', input, caller);
    }
  }
}

function bodyFor({ input, inputPath }: Target, event: BusEvent): string {
  if (input !== undefined) return input;
  if (inputPath === undefined) return JSON.stringify(event);
  let value: unknown = event;
  for (const name of inputPath.split('.').slice(1)) value = Object(value)[name];
  return JSON.stringify(value ?? null);
}
