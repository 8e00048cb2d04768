import { MAX_COMMAND_RESULT_BYTES } from '@thingstead/contracts/commands';
import type { Clock } from '../clock.ts';
import { createHandler } from '../handlers/handler.ts';
import type { CommandsConfig } from './command-config.ts';
import type { CommandHandler } from './command-runner.ts';

/** The handlers of a configuration by the names of their commands. */
export function commandHandlers(config: CommandsConfig, clock: Clock): ReadonlyMap<string, CommandHandler> {
  return new Map(
    Object.entries(config).map(([name, { repeatable, ...handler }]) => {
      const handle = createHandler(handler, MAX_COMMAND_RESULT_BYTES, clock);
      const run: CommandHandler['run'] = (payload, id, signal) =>
        handle({
          input: payload,
          about: { id },
          environment: { THINGSTEAD_COMMAND: name, THINGSTEAD_COMMAND_ID: id },
          signal,
        });
      return [name, { run, repeatable }];
    }),
  );
}
