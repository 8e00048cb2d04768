/** The command line of the launcher. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { serviceManager } from '../service-manager.ts';
import { type LaunchOptions, launch } from './launch.ts';

const USAGE = `thingstead-launcher --directory DIR --factory DIR [--silence SECONDS] [--pause SECONDS] [-- ARGUMENTS]

Starts bin/thingstead-agent of the version that is to run, with these arguments, and another one when it has to.

  --directory   the folder of the slots, "firmware.installer.directory" of the agent's configuration
  --factory     the folder of the version that runs as long as no slot is good
  --silence     a version that has not said for so long that it lives is killed; default 120
  --pause       before it is started for the second time; doubles up to five minutes; default 1
`;
const EX_USAGE = 64;

/** Runs until it is asked to stop, and gives the exit code. Rejects when it cannot go on: whoever has started it starts it again. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (typeof options !== 'string') return launch(options);
  process.stderr.write(`${options}\n\n${USAGE}`);
  return EX_USAGE;
}

/** The options, or what is wrong with them. */
function parse(args: readonly string[]): LaunchOptions | string {
  const rest = args.includes('--') ? args.indexOf('--') : args.length;
  try {
    const { values } = parseArgs({
      args: args.slice(0, rest),
      options: {
        directory: { type: 'string' },
        factory: { type: 'string' },
        silence: { type: 'string', default: '120' },
        pause: { type: 'string', default: '1' },
      },
    });
    const { directory, factory } = values;
    const [silenceSeconds = Number.NaN, pauseSeconds = Number.NaN] = [values.silence, values.pause].map(Number);
    if (!directory || !factory) return '--directory and --factory are needed';
    if (!(silenceSeconds > 0) || !(pauseSeconds >= 0)) return '--silence and --pause are numbers of seconds';
    const log = (text: string): void => void process.stderr.write(`launcher: ${text}\n`);
    return {
      directory: path.resolve(directory),
      factory: path.resolve(factory),
      args: args.slice(rest + 1),
      silenceSeconds,
      pauseSeconds,
      environment: process.env,
      manager: serviceManager(process.env, { warn: (event, fields) => log(`${event}: ${fields?.message}`) }),
      log,
    };
  } catch (error) {
    return String(error);
  }
}
