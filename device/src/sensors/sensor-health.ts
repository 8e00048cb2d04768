import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** A sensor that stays broken says so this often. */
const REMIND_MS = 3_600_000;

/**
 * Tells the log how a sensor is: the first failure at once, later ones once an hour with their number, and the first value after
 * a failure that was told. A sensor that is broken for a year, or every other second, does not fill the log.
 */
export class SensorHealth {
  readonly #sensor: string;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Failures since the last line, and since the start. */
  #untold = 0;
  #total = 0;
  #toldAt: number | undefined;
  #failing = false;

  constructor(sensor: string, clock: Clock, log: Log) {
    this.#sensor = sensor;
    this.#clock = clock;
    this.#log = log;
  }

  failed(message: string): void {
    this.#untold += 1;
    this.#total += 1;
    const now = this.#clock.uptime();
    if (this.#toldAt !== undefined && now - this.#toldAt < REMIND_MS) return;
    this.#log.warn('sensor.failed', {
      message,
      sensor: this.#sensor,
      failures: this.#untold,
      total: this.#total,
    });
    this.#toldAt = now;
    this.#untold = 0;
    this.#failing = true;
  }

  worked(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#log.info('sensor.recovered', { sensor: this.#sensor, total: this.#total });
  }
}
