import { isPercentile, STATISTICS } from './datapoint.ts';
import { invalidValue, missing } from './errors.ts';

/** A period in milliseconds. Throws InvalidParameterValueException for what is no multiple of 60 seconds. */
export function checkPeriod(seconds: number | undefined): number {
  if (seconds === undefined) throw missing('Period');
  if (Number.isInteger(seconds) && seconds >= 60 && seconds % 60 === 0) return seconds * 1000;
  throw invalidValue(
    `Period is ${seconds}; the local runtime keeps metrics by the minute, so it must be a multiple of 60 seconds.`,
  );
}

/** Throws InvalidParameterValueException for a statistic that is neither one of the five nor a percentile. */
export function checkStatistic(name: string): string {
  if (STATISTICS.includes(name) || isPercentile(name)) return name;
  throw invalidValue(`The statistic ${name} is not one of ${STATISTICS.join(', ')} and no percentile such as p99.`);
}
