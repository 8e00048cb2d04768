/** One line of a result. A peer is a line like any other, measured in the same run. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the project aims at, in words. */
  readonly aim?: string;
}

export interface Figure {
  readonly name: string;
  readonly title: string;
  measure(): Promise<readonly Row[]>;
}

/** Says on standard error what is going on; standard output has the results only. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The value below which `share` (0 to 1) of the values are. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
