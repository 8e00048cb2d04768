import type { Clock } from '../clock.ts';
import { runProgram } from '../run-program.ts';
import { type Conversion, MAX_VALUE_BYTES, parseValue } from './parse-value.ts';
import type { Sensor } from './sensor.ts';

export interface CommandOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly conversion: Conversion;
  readonly clock: Clock;
}

/**
 * A value that a program prints, run without a shell for every reading. The read rejects when the program cannot be started, ends
 * with another code than 0, takes too long, prints too much, or prints no such value.
 */
export function command({ command, timeoutMs, conversion, clock }: CommandOptions): Sensor {
  return {
    read: async (_time, signal) => {
      const said = await runProgram({
        ...{ command, timeoutMs, clock, signal },
        maxBytes: MAX_VALUE_BYTES,
        excess: 'kill',
      });
      return parseValue(said.toString(), conversion);
    },
  };
}
