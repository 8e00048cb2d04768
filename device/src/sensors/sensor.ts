import type { ReadingValue } from '@thingstead/contracts/telemetry';

/** Where values come from. A sensor that needs hardware says at creation whether it is there. */
export interface Sensor {
  /** The value now; `time` is epoch milliseconds. Throws when the hardware does not answer. */
  read(time: number): ReadingValue;
}

/** The hardware that a sensor needs is not on this board. The message says what was looked for. */
export class SensorUnavailable extends Error {
  override readonly name = 'SensorUnavailable';
}
