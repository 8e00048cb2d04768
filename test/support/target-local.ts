import { startRuntime } from './runtime.ts';
import type { Target } from './target.ts';

/** The local runtime in a process of its own, with this cloud assembly. Time is virtual, and nothing is tried twice. */
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
      return check();
    },
    mayConnect: () => Promise.resolve(),
    stop: () => runtime.stop(),
  };
}
