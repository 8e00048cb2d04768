/** A datapoint as it is kept. */
export interface KeptDatapoint extends Pick<Datapoint, 'sum' | 'count' | 'min' | 'max' | 'unit'> {
  readonly values: ReadonlyMap<number, number>;
}

/** The values of one metric in one period, kept so that every statistic can be told. */
export class Datapoint {
  sum = 0;
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  unit: string | undefined;
  /** How often each value came, for percentiles. */
  readonly #values = new Map<number, number>();

  add(value: number, times = 1): void {
    this.sum += value * times;
    this.count += times;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.#values.set(value, (this.#values.get(value) ?? 0) + times);
  }

  get kept(): KeptDatapoint {
    const { sum, count, min, max, unit } = this;
    return { sum, count, min, max, unit, values: this.#values };
  }

  static restore({ values, ...rest }: KeptDatapoint): Datapoint {
    const datapoint = Object.assign(new Datapoint(), rest);
    for (const [value, times] of values) datapoint.#values.set(value, times);
    return datapoint;
  }

  /** Adds what somebody else has summed up already; percentiles know of its ends only. */
  addSummary(summary: {
    readonly sum: number;
    readonly count: number;
    readonly min: number;
    readonly max: number;
  }): void {
    this.sum += summary.sum;
    this.count += summary.count;
    this.min = Math.min(this.min, summary.min);
    this.max = Math.max(this.max, summary.max);
    this.#values.set(summary.max, (this.#values.get(summary.max) ?? 0) + summary.count);
  }

  merge(other: Datapoint): void {
    this.sum += other.sum;
    this.count += other.count;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.unit ??= other.unit;
    for (const [value, times] of other.#values) this.#values.set(value, (this.#values.get(value) ?? 0) + times);
  }

  /** A statistic by its name: `Sum`, `Average`, `p99.9`; undefined when there is no such statistic. */
  statistic(name: string): number | undefined {
    switch (name) {
      case 'Sum':
        return this.sum;
      case 'SampleCount':
        return this.count;
      case 'Average':
        return this.sum / this.count;
      case 'Minimum':
        return this.min;
      case 'Maximum':
        return this.max;
      default:
        return isPercentile(name) ? this.#percentile(Number(name.slice(1))) : undefined;
    }
  }

  #percentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.count));
    let seen = 0;
    for (const value of [...this.#values.keys()].toSorted((a, b) => a - b)) {
      seen += this.#values.get(value) ?? 0;
      if (seen >= rank) return value;
    }
    return this.max;
  }
}

export const STATISTICS = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'];

/** `p0` to `p100`, with up to two decimals as CloudWatch takes them. */
export function isPercentile(name: string): boolean {
  return /^p(100|\d{1,2}(\.\d{1,10})?)$/.test(name);
}
