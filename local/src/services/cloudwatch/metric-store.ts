import { Datapoint } from './datapoint.ts';

/** Metrics are kept by the minute; shorter resolutions are not emulated. */
export const MINUTE_MS = 60_000;
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
    let metric = this.#metrics.get(key);
    if (!metric) {
      const { namespace, metricName, dimensions } = identity;
      metric = { namespace, metricName, dimensions, minutes: new Map() };
      this.#metrics.set(key, metric);
      this.onMetric(metric);
    }
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
