import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Running } from '../../meter/meter.ts';
import { Alarm, type AlarmConfiguration, type AlarmState } from './alarm.ts';
import { runActions } from './alarm-actions.ts';
import type { MetricStore } from './metric-store.ts';

interface KeptAlarm {
  readonly configuration: AlarmConfiguration;
  readonly configuredAt: number;
  readonly state: AlarmState;
  readonly actionsEnabled: boolean;
}

/** The alarms of the account, by name and by the metric they watch. */
export class Alarms {
  readonly kernel: Kernel;
  readonly #metrics: MetricStore;
  readonly #byName = new Map<string, Alarm>();
  readonly #byMetric = new Map<string, Set<Alarm>>();
  readonly #charges = new Map<string, Running>();

  constructor(kernel: Kernel, metrics: MetricStore) {
    this.kernel = kernel;
    this.#metrics = metrics;
    metrics.onValue = (key) => {
      for (const alarm of this.#byMetric.get(key) ?? []) alarm.evaluateSoon();
    };
  }

  get all(): readonly Alarm[] {
    return [...this.#byName.values()];
  }

  find(name: string | undefined): Alarm | undefined {
    return this.#byName.get(name ?? '');
  }

  /** Creates or replaces an alarm; one that is replaced keeps its state. */
  put(configuration: AlarmConfiguration): void {
    const { kernel } = this;
    const alarm = new Alarm(kernel, this.#metrics, configuration, (changed, before) =>
      kernel.activity.track(() => runActions(kernel, changed, before)),
    );
    const before = this.#byName.get(configuration.name);
    if (before) {
      alarm.state = before.state;
      this.delete(before);
    }
    this.#byName.set(configuration.name, alarm);
    this.#charges.set(configuration.name, kernel.meter.start('cloudwatchAlarm', 'alarms'));
    const watching = this.#byMetric.get(alarm.metricKey) ?? new Set();
    this.#byMetric.set(alarm.metricKey, watching.add(alarm));
    alarm.evaluateSoon();
  }

  *save(): Generator<KeptRecord> {
    for (const { configuration, configuredAt, state, actionsEnabled } of this.#byName.values()) {
      const kept: KeptAlarm = { configuration, configuredAt, state, actionsEnabled };
      yield [`alarm/${configuration.name}`, kept];
    }
  }

  /** An alarm that is restored is evaluated at once: time has passed. */
  restore(records: KeptRecords): void {
    for (const { configuration, configuredAt, state, actionsEnabled } of records.all<KeptAlarm>('alarm/')) {
      this.put(configuration);
      Object.assign(this.find(configuration.name) ?? {}, { configuredAt, state, actionsEnabled });
    }
  }

  delete(alarm: Alarm): void {
    alarm.delete();
    this.#byName.delete(alarm.configuration.name);
    this.#charges.get(alarm.configuration.name)?.stop();
    this.#byMetric.get(alarm.metricKey)?.delete(alarm);
  }
}
