import type { DeviceSettings } from '@thingstead/contracts/onboarding';
import type { SensorConfig } from './config.ts';

/** The sensors, read less often where the fleet's owner wants that, and never more often than they are configured. */
export function pacedSensors(
  sensors: readonly SensorConfig[],
  { samplingSeconds }: DeviceSettings,
): readonly SensorConfig[] {
  return sensors.map((sensor) => ({
    ...sensor,
    intervalSeconds: slower(sensor.intervalSeconds, samplingSeconds),
  }));
}

/** How long readings wait before they are sent, in milliseconds; the same holds. */
export function publishEveryMs(configuredSeconds: number, { reportingSeconds }: DeviceSettings): number {
  return slower(configuredSeconds, reportingSeconds) * 1000;
}

function slower(configured: number, wanted = 0): number {
  return Math.max(configured, wanted);
}
