import type { Clock } from '../clock.ts';
import type { SensorConfig } from '../config.ts';
import { board } from './board.ts';
import { command } from './command.ts';
import { file } from './file.ts';
import type { Sensor } from './sensor.ts';
import { seedOf, simulator } from './simulator.ts';

/**
 * Makes the sensor that a part of the configuration describes.
 *
 * @throws SensorUnavailable when the board lacks the hardware.
 */
export function createSensor(thing: string, { name, source }: SensorConfig, clock: Clock): Sensor {
  switch (source.kind) {
    case 'simulator':
      return simulator({ ...source, seed: source.seed ?? seedOf(`${thing}/${name}`) });
    case 'board':
      return board(source.value);
    case 'file':
      return file(source.path, source);
    case 'command':
      return command({
        command: source.command,
        timeoutMs: source.timeoutSeconds * 1000,
        conversion: source,
        clock,
      });
  }
}
