import type { Clock } from './clock.ts';
import type { SensorConfig } from './config.ts';
import { messageOf } from './configuration-error.ts';
import type { Liveness } from './liveness.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import { createSensor } from './sensors/create-sensor.ts';
import { type Sensor, SensorUnavailable } from './sensors/sensor.ts';

export interface SamplerOptions {
  readonly thing: string;
  readonly sensors: readonly SensorConfig[];
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly liveness: Liveness;
  readonly log: Log;
}

/** How much later than planned a sensor may be read before the sampler counts as stuck. */
const LATE_MS = 60_000;

/** Reads every sensor now and then at its interval, into the outbox, until the returned function is called. */
export function startSampling({ thing, sensors, outbox, clock, liveness, log }: SamplerOptions): () => void {
  const cancels = new Map<string, () => void>();
  let { dropped } = outbox;
  for (const config of sensors) {
    const { name: sensor, unit, intervalSeconds } = config;
    const source = open(config);
    if (!source) continue;
    const started = clock.uptime();
    const sample = (count: number): void => {
      read(source, sensor, unit);
      // Counted from the start, so that delays do not add up.
      const due = started + (count + 1) * intervalSeconds * 1000;
      const waitMs = Math.max(0, due - clock.uptime());
      liveness.expect(reading(sensor), waitMs + LATE_MS);
      cancels.set(
        sensor,
        clock.after(waitMs, () => sample(count + 1)),
      );
    };
    sample(0);
  }
  return () => {
    for (const [sensor, cancel] of cancels) {
      cancel();
      liveness.done(reading(sensor));
    }
  };

  function reading(sensor: string): string {
    return `sensor ${sensor} is read`;
  }

  function open(config: SensorConfig): Sensor | undefined {
    try {
      return createSensor(thing, config);
    } catch (error) {
      if (!(error instanceof SensorUnavailable)) throw error;
      log.warn('sensor.skipped', { sensor: config.name, message: error.message });
      return undefined;
    }
  }

  function read(source: Sensor, sensor: string, unit: string | undefined): void {
    const time = clock.now();
    try {
      outbox.put(sensor, { value: source.read(time), time, ...(unit === undefined ? {} : { unit }) });
    } catch (error) {
      log.warn('sensor.failed', { sensor, message: messageOf(error) });
    }
    if (outbox.dropped === dropped) return;
    // The first drop, and then every doubling: an offline week must not fill the log.
    if (dropped === 0 || Math.floor(Math.log2(outbox.dropped)) > Math.floor(Math.log2(dropped))) {
      log.warn('outbox.dropped', { message: 'the outbox is full; the oldest readings go', total: outbox.dropped });
    }
    dropped = outbox.dropped;
  }
}
