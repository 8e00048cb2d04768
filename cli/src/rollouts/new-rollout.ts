import { readFileSync } from 'node:fs';
import { NewRollout, type Wave } from '@thingstead/contracts/rollouts';
import { validate } from '@thingstead/contracts/validate';
import type { Command } from 'commander';
import { positiveInteger, positiveNumber } from '../arguments.ts';
import { CommandError } from '../command-error.ts';
import { abortAt, maintenanceWindow, names, rate, waves, wholeNumber } from './rollout-arguments.ts';

export interface RolloutOptions {
  readonly settings?: string;
  readonly things?: readonly string[];
  readonly site?: string;
  readonly firmware?: string;
  readonly connected?: boolean;
  readonly prefix?: string;
  readonly percent?: number;
  readonly waves?: readonly Wave[];
  readonly rate?: ReturnType<typeof rate>;
  readonly success?: number;
  readonly abort?: ReturnType<typeof abortAt>;
  readonly answer?: number;
  readonly update?: number;
  readonly retries?: number;
  readonly window?: ReturnType<typeof maintenanceWindow>;
  readonly soak?: number;
  readonly errorSensor?: string;
  readonly current?: boolean;
}

/** What `rollout create` and `rollout dry-run` have in common. */
export function addRolloutOptions(command: Command): Command {
  return command
    .option('--things <names>', 'these: fan1,fan2', names)
    .option('--site <site>', 'things of this site')
    .option('--firmware <version>', 'things that run this version')
    .option('--connected', 'things that are connected now')
    .option('--prefix <beginning>', 'things whose names begin with it')
    .option('--percent <percent>', 'so many of them, the same each time', positiveNumber)
    .option('--waves <waves>', 'the first so many, or so many percent; 5,25%,100%', waves)
    .option('--rate <rate>', 'a minute; 100. Or 50x2/1000: twice as fast with every 1000 that succeed', rate)
    .option('--success <percent>', 'of a wave, before the next one begins; 95', wholeNumber)
    .option('--abort <limit>', 'ends it: 10%/2, a tenth of those with an outcome, and two at least', abortAt)
    .option('--answer <seconds>', 'within which a device that is connected has to begin; 3600', positiveInteger)
    .option('--update <seconds>', 'within which it has to be done then; 7200', positiveInteger)
    .option('--retries <count>', 'further attempts of a device; 0', wholeNumber)
    .option('--window <window>', 'starts devices then only: 02:00+120, in UTC, for so many minutes', maintenanceWindow)
    .option('--soak <seconds>', 'for which the new version has to do well; 600', wholeNumber)
    .option('--error-sensor <name>', 'a sensor that may not read higher than before')
    .option('--current', 'things that join later get it too; by default when it is for all')
    .option('--no-current', 'they do not')
    .option('--settings <file>', 'JSON with the settings of a rollout; options come on top of it');
}

/** The body of the request. @throws CommandError (usage) */
export function newRollout(product: string, counter: number, options: RolloutOptions): NewRollout {
  const { things, site, firmware, connected, prefix, percent, success, answer, update, soak, errorSensor } = options;
  const file = options.settings === undefined ? {} : readSettings(options.settings);
  const target = defined({ things, site, firmware, connected, prefix, percent });
  const health = defined({ soakSeconds: soak, errorSensor });
  const body = {
    ...file,
    ...{ product, counter },
    ...defined({
      ...{ waves: options.waves, rate: options.rate, successPercent: success, abort: options.abort },
      ...{ answerSeconds: answer, updateSeconds: update, retries: options.retries, window: options.window },
      makeCurrent: options.current,
    }),
    ...(Object.keys(target).length > 0 && { target }),
    ...(Object.keys(health).length > 0 && { health: { ...(file.health as object | undefined), ...health } }),
  };
  const valid = validate(NewRollout, body);
  if (!valid.ok) throw new CommandError('usage', 'These are no settings of a rollout.', { causes: [valid.reason] });
  return valid.value;
}

function readSettings(file: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new CommandError('usage', `${file} cannot be read as JSON.`, { causes: [String(error)] });
  }
}

function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
