import type { ReadingValue } from '@thingstead/contracts/telemetry';

/** Where values come from. A sensor that needs hardware says at creation whether it is there. */
export interface Sensor {
  /**
   * The value now; `time` is epoch milliseconds. Throws or rejects when there is none. It is not called again before it has
   * ended. When the signal is aborted the agent ends: what was started must not go on.
   */
  read(time: number, signal: AbortSignal): ReadingValue | Promise<ReadingValue>;
}

/** A sensor that answers at once. */
export interface PromptSensor extends Sensor {
  read(time: number): ReadingValue;
}

/** The hardware that a sensor needs is not on this board. The message says what was looked for. */
export class SensorUnavailable extends Error {
  override readonly name = 'SensorUnavailable';
}
