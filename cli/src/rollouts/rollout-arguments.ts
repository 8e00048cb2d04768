/** How the texts of `rollout create` become settings of a rollout. Commander turns the error into a usage message. */
import type { MaintenanceWindow, Rate, Wave } from '@thingstead/contracts/rollouts';
import { InvalidArgumentError } from 'commander';

/** `5,25%,100%`: the first five, then a quarter of all, then the rest. */
export function waves(text: string): readonly Wave[] {
  return text.split(',').map((each) => {
    const [, number = '', percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(each.trim()) ?? [];
    if (number === '') throw new InvalidArgumentError('Waves are numbers or percentages: 5,25%,100%.');
    return percent === '%' ? { percent: Number(number) } : { count: Number(number) };
  });
}

/** `100`: so many a minute. `50x2/1000`: 50, and twice as many each time that another 1000 have succeeded. */
export function rate(text: string): Rate | Omit<Extract<Rate, { basePerMinute: number }>, 'maximumPerMinute'> {
  if (/^\d+$/.test(text)) return { perMinute: Number(text) };
  const [, base, factor, every] = /^(\d+)x(\d+(?:\.\d+)?)\/(\d+)$/.exec(text) ?? [];
  if (every === undefined) throw new InvalidArgumentError('A rate is 100, or 50x2/1000.');
  return { basePerMinute: Number(base), factor: Number(factor), every: Number(every), of: 'succeeded' };
}

/** `10%/3`: when a tenth has failed, and three at least. */
export function abortAt(text: string): { readonly failurePercent: number; readonly minimumFailures: number } {
  const [, percent, count] = /^(\d+(?:\.\d+)?)%\/(\d+)$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It is of the form 10%/3.');
  return { failurePercent: Number(percent), minimumFailures: Number(count) };
}

/** `02:00+120` in UTC, `02:00+120@-60` on a clock that is an hour behind it. */
export function maintenanceWindow(text: string): MaintenanceWindow {
  const [, from, minutes, offset = '0'] = /^(\d\d:\d\d)\+(\d+)(?:@([+-]?\d+))?$/.exec(text) ?? [];
  if (from === undefined) throw new InvalidArgumentError('A window is 02:00+120: from when, and for how many minutes.');
  return { from, minutes: Number(minutes), utcOffsetMinutes: Number(offset) };
}

/** `fan1,fan2` */
export function names(text: string): readonly string[] {
  return text.split(',').map((each) => each.trim());
}

export function wholeNumber(text: string): number {
  const number = Number(text);
  if (text !== '' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('It must be a whole number.');
}
