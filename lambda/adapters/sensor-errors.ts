import type { Errors } from '../rollouts/ports.ts';
import type { Readings } from '../things/ports.ts';
import { summaries } from '../things/summaries.ts';

/** Minutes of a day, and the one that is under way. */
const MAX_MINUTES = 1441;

/** What an error sensor has measured, from its roll-ups. */
export class SensorErrors implements Errors {
  readonly #readings: Readings;

  constructor(readings: Readings) {
    this.#readings = readings;
  }

  async between(
    thing: string,
    sensor: string,
    from: number,
    to: number,
  ): Promise<{ readonly count: number; readonly mean: number }> {
    const range = { from, to, visibleFrom: 0, limit: MAX_MINUTES };
    const page = await summaries({ thing, sensor, ...range, resolution: 'minute' }, undefined, this.#readings);
    const measured = page.summaries.filter(({ mean }) => mean !== undefined);
    const count = measured.reduce((sum, each) => sum + each.count, 0);
    const total = measured.reduce((sum, each) => sum + (each.mean ?? 0) * each.count, 0);
    return { count, mean: count === 0 ? 0 : total / count };
  }
}
