import type { StateValue } from '@aws-sdk/client-cloudwatch';
import type { Timer } from '../../kernel/clock.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { evaluationRange, isBreaching, type Rule, reasonFor, stateFor } from './evaluate-alarm.ts';
import { type MetricIdentity, type MetricStore, metricKey } from './metric-store.ts';

export interface AlarmConfiguration extends Rule {
  readonly name: string;
  readonly description: string | undefined;
  readonly metric: MetricIdentity;
  /** `Sum`, `p99`. */
  readonly statistic: string;
  readonly unit: string | undefined;
  readonly periodMs: number;
  readonly actionsEnabled: boolean;
  readonly actions: Readonly<Record<StateValue, readonly string[]>>;
}

export interface AlarmState {
  readonly value: StateValue;
  readonly reason: string;
  readonly updatedAt: number;
}

/**
 * One metric alarm. It is evaluated at the end of each period while there is data in its range, and as soon as a value
 * arrives.
 */
export class Alarm {
  readonly arn: string;
  readonly metricKey: string;
  readonly configuredAt: number;
  readonly configuration: AlarmConfiguration;
  state: AlarmState;
  actionsEnabled: boolean;
  readonly #kernel: Kernel;
  readonly #metrics: MetricStore;
  readonly #onChange: (alarm: Alarm, before: AlarmState) => void;
  #timer: Timer | undefined;
  #evaluating = false;
  #deleted = false;

  constructor(
    kernel: Kernel,
    metrics: MetricStore,
    configuration: AlarmConfiguration,
    onChange: (alarm: Alarm, before: AlarmState) => void,
  ) {
    this.#kernel = kernel;
    this.#metrics = metrics;
    this.#onChange = onChange;
    this.configuration = configuration;
    this.actionsEnabled = configuration.actionsEnabled;
    this.arn = kernel.arn('cloudwatch', `alarm:${configuration.name}`);
    this.metricKey = metricKey(configuration.metric);
    this.configuredAt = kernel.clock.now();
    this.state = {
      value: 'INSUFFICIENT_DATA',
      reason: 'Unchecked: Initial alarm creation',
      updatedAt: this.configuredAt,
    };
  }

  /** Evaluates in the next turn of the event loop, once for all values of this turn. */
  evaluateSoon(): void {
    if (this.#evaluating) return;
    this.#evaluating = true;
    this.#kernel.activity.track(async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#evaluating = false;
      this.#evaluate();
    });
  }

  /** Sets the state by hand, as SetAlarmState does; the next evaluation may change it again. */
  setState(value: StateValue, reason: string): void {
    this.#change(value, reason);
    this.#evaluateAtEndOfPeriod();
  }

  delete(): void {
    this.#deleted = true;
    this.#timer?.cancel();
  }

  #evaluate(): void {
    if (this.#deleted) return;
    const { periodMs } = this.configuration;
    const current = Math.floor(this.#kernel.clock.now() / periodMs) * periodMs;
    const newest = this.#breachesAlready(current) ? current : current - periodMs;
    const periods = Array.from({ length: evaluationRange(this.configuration) }, (_, age) => newest - age * periodMs);
    const values = periods.map((start) => this.#valueOf(start));
    const state = stateFor(this.configuration, values, this.state.value);
    if (state !== this.state.value) {
      const existing = values.flatMap((value, age) => (value === undefined ? [] : [{ value, at: periods[age] ?? 0 }]));
      this.#change(state, reasonFor(this.configuration, state, existing));
    }
    const hasData = this.#valueOf(current) !== undefined || values.some((value) => value !== undefined);
    if (hasData) this.#evaluateAtEndOfPeriod();
  }

  /** True when the period that is not over breaches, and no further value could undo that. */
  #breachesAlready(start: number): boolean {
    const { statistic, comparison } = this.configuration;
    const onlyGrows = statistic === 'Maximum' || statistic === 'Sum' || statistic === 'SampleCount';
    const settled = comparison.startsWith('Greater') ? onlyGrows : statistic === 'Minimum';
    const value = settled ? this.#valueOf(start) : undefined;
    return value !== undefined && isBreaching(this.configuration, value);
  }

  #valueOf(start: number): number | undefined {
    const { periodMs, statistic, unit } = this.configuration;
    const datapoint = this.#metrics.datapoint(this.metricKey, start, periodMs);
    if (!datapoint || (unit !== undefined && datapoint.unit !== undefined && unit !== datapoint.unit)) return undefined;
    return datapoint.statistic(statistic);
  }

  #evaluateAtEndOfPeriod(): void {
    if (this.#deleted) return;
    this.#timer?.cancel();
    const { clock } = this.#kernel;
    const { periodMs } = this.configuration;
    this.#timer = clock.at((Math.floor(clock.now() / periodMs) + 1) * periodMs, () => this.#evaluate());
  }

  #change(value: StateValue, reason: string): void {
    const before = this.state;
    this.state = { value, reason, updatedAt: this.#kernel.clock.now() };
    if (value !== before.value) this.#onChange(this, before);
  }
}
