import { CommandName } from '@thingstead/contracts/commands';
import * as v from 'valibot';
import { exactlyOne, Program, Text, TimeoutSeconds } from '../handlers/handler-config.ts';

/** What the cloud may have done, by the name of the command: nothing else is. */
export const CommandsSchema = v.record(
  CommandName,
  v.pipe(
    v.strictObject({
      run: v.optional(Program),
      /** A JavaScript module; its default export is called with the payload and `{ id, signal }`. */
      module: v.optional(Text),
      timeoutSeconds: TimeoutSeconds,
      /** It does no harm twice: a command that was cut off by the end of the agent is begun again, three times at most. */
      repeatable: v.optional(v.boolean(), false),
    }),
    exactlyOne('run', 'module'),
  ),
);
export type CommandsConfig = v.InferOutput<typeof CommandsSchema>;
