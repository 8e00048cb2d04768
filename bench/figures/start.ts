import { spawnSync } from 'node:child_process';
import { platformAssembly, synthesize } from '../support/assembly.ts';
import { type Figure, percentile, say } from '../support/figure.ts';
import { root } from '../support/process.ts';
import { startRuntime } from '../support/runtime.ts';

const ROUNDS = 5;

async function seconds(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** From the command to everything answering, dependencies installed. */
export const start: Figure = {
  name: 'start',
  title: `From command to ready, dependencies installed, median of ${ROUNDS}`,
  async measure() {
    say('start: runtime and synthesis');
    const assembly = await platformAssembly();
    const existing: number[] = [];
    const synthesis: number[] = [];
    const bare: number[] = [];
    const library: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const runtime = await startRuntime(assembly);
      existing.push(runtime.secondsToReady);
      await runtime.stop();
      synthesis.push(await seconds(synthesize));
      bare.push(await seconds(() => spawnSync(process.execPath, ['-e', '0'])));
      const load = "import('aws-cdk-lib')";
      library.push(
        await seconds(() => spawnSync(process.execPath, ['--input-type=module', '-e', load], { cwd: root })),
      );
    }
    const median = (values: readonly number[]): number => percentile(values, 0.5);
    return [
      { what: 'runtime from an existing assembly', value: median(existing), unit: 's', aim: '< 3' },
      { what: 'synthesis, then runtime', value: median(synthesis) + median(existing), unit: 's', aim: '< 10' },
      { what: 'of that, synthesis', value: median(synthesis), unit: 's' },
      { what: 'peer: a Node.js process that does nothing', value: median(bare), unit: 's' },
      { what: 'peer: a Node.js process that loads aws-cdk-lib', value: median(library), unit: 's' },
    ];
  },
};
