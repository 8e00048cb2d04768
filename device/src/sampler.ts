import type { ReadingValue } from '@thingstead/contracts/telemetry';
import type { Clock } from './clock.ts';
import type { SensorConfig } from './config.ts';
import { messageOf } from './configuration-error.ts';
import type { Liveness } from './liveness.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import { createSensor } from './sensors/create-sensor.ts';
import { type Sensor, SensorUnavailable } from './sensors/sensor.ts';
import { SensorHealth } from './sensors/sensor-health.ts';

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

/**
 * Reads every sensor now and then at its interval, into the outbox, until the returned function is called. A sensor that fails
 * or hangs is told of in the log and stops nobody else; while it has not answered it is not asked again.
 */
export function startSampling({ thing, sensors, outbox, clock, liveness, log }: SamplerOptions): () => void {
  const cancels = new Map<string, () => void>();
  const ending = new AbortController();
  let { dropped } = outbox;
  for (const config of sensors) {
    const { name: sensor, intervalSeconds } = config;
    const source = open(config);
    if (!source) continue;
    const started = clock.uptime();
    const read = reader(source, config);
    const sample = (count: number): void => {
      read();
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
    ending.abort();
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
      return createSensor(thing, config, clock);
    } catch (error) {
      if (!(error instanceof SensorUnavailable)) throw error;
      log.warn('sensor.skipped', { sensor: config.name, message: error.message });
      return undefined;
    }
  }

  /** Reads once, unless the last time has not ended. */
  function reader(source: Sensor, { name: sensor, unit }: SensorConfig): () => void {
    const health = new SensorHealth(sensor, clock, log);
    let busy = false;
    const failed = (error: unknown): void => {
      busy = false;
      if (!ending.signal.aborted) health.failed(messageOf(error));
    };
    return () => {
      if (busy) {
        health.failed('it was due, and has not answered the last time yet');
        return;
      }
      const time = clock.now();
      const keep = (value: ReadingValue): void => {
        busy = false;
        if (ending.signal.aborted) return;
        outbox.put(sensor, { value, time, ...(unit === undefined ? {} : { unit }) });
        health.worked();
        warnAboutDrops();
      };
      try {
        const value = source.read(time, ending.signal);
        busy = value instanceof Promise;
        if (value instanceof Promise) void value.then(keep).catch(failed);
        else keep(value);
      } catch (error) {
        failed(error);
      }
    };
  }

  /** The first drop, and then every doubling: an offline week must not fill the log. */
  function warnAboutDrops(): void {
    if (outbox.dropped === dropped) return;
    if (dropped === 0 || Math.floor(Math.log2(outbox.dropped)) > Math.floor(Math.log2(dropped))) {
      log.warn('outbox.dropped', { message: 'the outbox is full; the oldest readings go', total: outbox.dropped });
    }
    dropped = outbox.dropped;
  }
}
