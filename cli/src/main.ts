import { CommanderError } from 'commander';
import { EXIT } from './command-error.ts';
import { type Context, createContext } from './context.ts';
import { explainError } from './explain-error.ts';
import { createOutput, processStreams, type Streams } from './output.ts';
import { createProgram } from './program.ts';
import { type GlobalOptions, invocationFor, isLocal } from './target.ts';

/** Runs the command line and gives the exit code. Everything that goes wrong is said in words. */
export async function main(args: readonly string[], streams: Streams = processStreams()): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once('SIGINT', interrupt);
  let globals: GlobalOptions = {};
  function bind<Args extends unknown[]>(action: (context: Context, ...args: Args) => Promise<void>) {
    return async (...given: unknown[]): Promise<void> => {
      globals = optionsOf(given.at(-1));
      const output = createOutput(globals.json === true, streams, invocationFor(globals));
      // Commander gives the arguments and options that were declared beside the action, and the command itself last.
      await action(createContext(globals, output, interruption.signal), ...(given.slice(0, -1) as Args));
      if (interruption.signal.aborted) throw new Interrupted();
    };
  }
  const program = createProgram(bind, streams);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    // Commander has already said what was wrong with the command line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof Interrupted || interruption.signal.aborted) return EXIT.interrupted;
    const explained = explainError(error, isLocal(globals));
    createOutput(false, streams, invocationFor(globals)).problem(explained, globals.debug === true);
    return explained.exitCode;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

function optionsOf(command: unknown): GlobalOptions {
  if (typeof command !== 'object' || command === null || !('optsWithGlobals' in command)) return {};
  // Commander's own type of the last argument of an action.
  return (command as { optsWithGlobals: () => GlobalOptions }).optsWithGlobals();
}
