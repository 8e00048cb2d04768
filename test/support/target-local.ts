import { startRuntime } from './runtime.ts';
import type { Target } from './target.ts';
import { untilItPasses } from './until-it-passes.ts';

/** What a client did last, above all the end of its connection, may not have reached the runtime when a check begins. */
const PATIENCE_SECONDS = 20;
const RETRY_MS = 20;

/** The local runtime in a process of its own, with this cloud assembly. Time is virtual. */
export async function startLocalTarget(assembly: string): Promise<Target> {
  const runtime = await startRuntime({ assembly });
  const { endpoints, config } = runtime;
  return {
    config,
    mqtt: endpoints.mqtt,
    deviceHttps: endpoints.deviceHttps,
    rootCaFile: endpoints.rootCaFile,
    outputs: Object.assign({}, ...Object.values(endpoints.outputs)),
    advance: (seconds) => runtime.advance(seconds),
    idle: () => runtime.advance(0),
    soon: async (check, seconds = 0) => {
      await runtime.advance(seconds);
      const whenIdle = async () => {
        await runtime.advance(0);
        return check();
      };
      return untilItPasses(whenIdle, PATIENCE_SECONDS, RETRY_MS);
    },
    mayConnect: () => Promise.resolve(),
    stop: () => runtime.stop(),
  };
}
