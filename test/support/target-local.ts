import { KeptAccount } from '../runtime/data/kept-account.ts';
import { type Runtime, startRuntime } from './runtime.ts';
import type { Target } from './target.ts';
import { untilItPasses } from './until-it-passes.ts';

/** What a client did last, above all the end of its connection, may not have reached the runtime when a check begins. */
const PATIENCE_SECONDS = 20;
const RETRY_MS = 20;

/** The local runtime in a process of its own, with this cloud assembly. Time is virtual. */
export async function startLocalTarget(assembly: string): Promise<Target> {
  const runtime = await startRuntime({ assembly });
  return targetOn(
    () => runtime,
    () => runtime.stop(),
  );
}

/** The same with state that outlives the process. `restart` ends it and starts another one, as a person does. */
export async function startKeptTarget(assembly: string): Promise<Target & { restart(): Promise<void> }> {
  const account = new KeptAccount();
  await account.start({ assembly });
  return {
    ...targetOn(
      () => account.runtime,
      () => account.remove(),
    ),
    restart: async () => {
      await account.restart({ assembly });
    },
  };
}

function targetOn(runtime: () => Runtime, stop: () => Promise<void>): Target {
  const { endpoints, config } = runtime();
  return {
    config,
    mqtt: endpoints.mqtt,
    deviceHttps: endpoints.deviceHttps,
    rootCaFile: endpoints.rootCaFile,
    outputs: Object.assign({}, ...Object.values(endpoints.outputs)),
    advance: (seconds) => runtime().advance(seconds),
    idle: () => runtime().advance(0),
    soon: async (check, seconds = 0) => {
      await runtime().advance(seconds);
      const whenIdle = async () => {
        await runtime().advance(0);
        return check();
      };
      return untilItPasses(whenIdle, PATIENCE_SECONDS, RETRY_MS);
    },
    mayConnect: () => Promise.resolve(),
    stop,
  };
}
