/** An account that outlives the runtimes that serve it: one data folder, one set of ports, one runtime at a time. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePortOffset, type Runtime, type RuntimeOptions, startRuntime } from '../../support/runtime.ts';

export class KeptAccount {
  readonly folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'thingstead-data-')), 'data');
  #portOffset: number | undefined;
  #runtime: Runtime | undefined;

  /** The runtime that runs now. */
  get runtime(): Runtime {
    if (!this.#runtime) throw new Error('no runtime runs');
    return this.#runtime;
  }

  /** Starts a runtime on the folder. Rejects with what it wrote when it does not become ready. */
  async start(options: RuntimeOptions = {}): Promise<Runtime> {
    this.#portOffset ??= await freePortOffset();
    const { args = [], ...rest } = options;
    const data = ['--data', this.folder, ...args];
    const folder = path.dirname(this.folder);
    this.#runtime = await startRuntime({ portOffset: this.#portOffset, folder, ...rest, args: data });
    return this.#runtime;
  }

  /** Ends the runtime as a person does, and starts another one. */
  async restart(options: RuntimeOptions = {}): Promise<Runtime> {
    await this.stop();
    return this.start(options);
  }

  async stop(): Promise<void> {
    await this.#runtime?.stop();
    this.#runtime = undefined;
  }

  /** Ends the runtime by force. */
  async kill(): Promise<void> {
    await this.#runtime?.kill();
    this.#runtime = undefined;
  }

  /** Ends what runs and removes the folder. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(path.dirname(this.folder), { recursive: true, force: true });
  }
}
