import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { type PromptSensor, SensorUnavailable } from './sensor.ts';

/** Thousandths of a degree Celsius, on every Linux board with a thermal sensor in the processor. */
const THERMAL_ZONE = '/sys/class/thermal/thermal_zone0/temp';

/**
 * What the board knows of itself: the processor's temperature in degrees Celsius, or the load average of one minute.
 *
 * @throws SensorUnavailable when the board has no thermal sensor.
 */
export function board(value: 'temperature' | 'load', thermalZone = THERMAL_ZONE): PromptSensor {
  if (value === 'load') return { read: () => Math.round((loadavg()[0] ?? 0) * 100) / 100 };
  const sensor: PromptSensor = { read: () => celsius(thermalZone) };
  try {
    sensor.read(0);
  } catch (cause) {
    throw new SensorUnavailable(`this board shows no temperature: ${thermalZone} is missing or not readable`, {
      cause,
    });
  }
  return sensor;
}

function celsius(file: string): number {
  const degrees = Number.parseInt(readFileSync(file, 'utf8'), 10) / 1000;
  if (!Number.isFinite(degrees)) throw new SensorUnavailable(`${file} holds no number`);
  return degrees;
}
