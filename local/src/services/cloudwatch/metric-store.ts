import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import { Datapoint, type KeptDatapoint } from './datapoint.ts';

/** Metrics are kept by the minute; shorter resolutions are not emulated. */
export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** "Data points with a period of 60 seconds are available for 15 days." */
const KEPT_MINUTES = 15 * 24 * 60;

export interface MetricIdentity {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface Metric extends MetricIdentity {
  /** By the epoch milliseconds at which the minute begins. */
  readonly minutes: Map<number, Datapoint>;
}

/** One hour of a metric as it is kept. */
interface KeptHour {
  readonly identity: MetricIdentity;
  readonly minutes: readonly (readonly [minute: number, datapoint: KeptDatapoint])[];
}

/** The same for the same metric, whatever the order of its dimensions. */
export function metricKey({ namespace, metricName, dimensions }: MetricIdentity): string {
  const names = Object.keys(dimensions);
  if (names.length > 1) names.sort();
  let key = `${namespace}\0${metricName}`;
  for (const name of names) key += `\0${name}\0${dimensions[name]}`;
  return key;
}

/** All metrics of the account, by minute, for fifteen days. */
export class MetricStore {
  readonly #metrics = new Map<string, Metric>();
  /** Hears of each metric that got a value. */
  onValue: (key: string) => void = () => {};
  /** Hears of each metric that is new. */
  onMetric: (metric: MetricIdentity) => void = () => {};

  get all(): IterableIterator<Metric> {
    return this.#metrics.values();
  }

  /** Lets `add` put values into the minute of `timestamp` (epoch milliseconds). */
  record(identity: MetricIdentity, timestamp: number, unit: string | undefined, add: (to: Datapoint) => void): void {
    const key = metricKey(identity);
    const metric = this.#metricOf(identity, key);
    const minute = Math.floor(timestamp / MINUTE_MS) * MINUTE_MS;
    let datapoint = metric.minutes.get(minute);
    if (!datapoint) {
      datapoint = new Datapoint();
      datapoint.unit = unit;
      metric.minutes.set(minute, datapoint);
      forgetOld(metric.minutes, minute);
    }
    add(datapoint);
    this.onValue(key);
  }

  *save(): Generator<KeptRecord> {
    for (const { namespace, metricName, dimensions, minutes } of this.#metrics.values()) {
      const identity = { namespace, metricName, dimensions };
      const name = JSON.stringify(metricKey(identity));
      for (const [hour, entries] of Map.groupBy(minutes, ([minute]) => Math.floor(minute / HOUR_MS))) {
        const value = (): KeptHour => ({ identity, minutes: entries.map(([at, { kept }]) => [at, kept] as const) });
        // Values are only added.
        const count = entries.reduce((sum, [, datapoint]) => sum + datapoint.count, 0);
        yield [`metric/${name}/${hour}`, value, `${entries.length} ${count}`];
      }
    }
  }

  restore(records: KeptRecords): void {
    const hours = [...records.all<KeptHour>('metric/')];
    const inOrder = hours.sort((a, b) => (a.minutes[0]?.[0] ?? 0) - (b.minutes[0]?.[0] ?? 0));
    for (const { identity, minutes } of inOrder) {
      const metric = this.#metricOf(identity);
      for (const [minute, datapoint] of minutes) metric.minutes.set(minute, Datapoint.restore(datapoint));
    }
  }

  /** The datapoint of a period that begins at `start`; undefined when there were no values. */
  datapoint(key: string, start: number, periodMs: number): Datapoint | undefined {
    const minutes = this.#metrics.get(key)?.minutes;
    if (!minutes) return undefined;
    if (periodMs === MINUTE_MS) return minutes.get(start);
    let merged: Datapoint | undefined;
    for (let minute = start; minute < start + periodMs; minute += MINUTE_MS) {
      const datapoint = minutes.get(minute);
      if (!datapoint) continue;
      merged ??= new Datapoint();
      merged.merge(datapoint);
    }
    return merged;
  }

  #metricOf(identity: MetricIdentity, key = metricKey(identity)): Metric {
    const known = this.#metrics.get(key);
    if (known) return known;
    const { namespace, metricName, dimensions } = identity;
    const metric: Metric = { namespace, metricName, dimensions, minutes: new Map() };
    this.#metrics.set(key, metric);
    this.onMetric(metric);
    return metric;
  }

  /** The datapoints between two times, by the beginning of their period, oldest first. */
  range(key: string, from: number, to: number, periodMs: number): Map<number, Datapoint> {
    const periods = new Map<number, Datapoint>();
    const minutes = [...(this.#metrics.get(key)?.minutes ?? [])].toSorted(([a], [b]) => a - b);
    for (const [minute, datapoint] of minutes) {
      if (minute < from || minute >= to) continue;
      const start = Math.floor(minute / periodMs) * periodMs;
      let period = periods.get(start);
      if (!period) {
        period = new Datapoint();
        periods.set(start, period);
      }
      period.merge(datapoint);
    }
    return periods;
  }
}

function forgetOld(minutes: Map<number, Datapoint>, now: number): void {
  for (const minute of minutes.keys()) {
    if (minute > now - KEPT_MINUTES * MINUTE_MS) return;
    minutes.delete(minute);
  }
}
