import { availableParallelism } from 'node:os';
import type { Kernel } from '../../kernel/kernel.ts';
import { functionNotFound } from './errors.ts';
import { ExecutionEnvironment } from './execution-environment.ts';
import type { LambdaFunction } from './lambda-function.ts';

/**
 * AWS starts as many environments as there are invocations at a time; one machine does better with a few that are
 * warm. Further invocations wait for one of them: they are not throttled.
 */
const MAX_PER_FUNCTION = Math.max(4, 2 * availableParallelism());
const MAX_IN_ALL = 4 * MAX_PER_FUNCTION;
/** Another environment is started when the others have not become free for so long: a start takes several times that. */
const PATIENCE_MS = 25;

interface Slot {
  readonly fn: LambdaFunction;
  readonly live: Set<ExecutionEnvironment>;
  readonly idle: ExecutionEnvironment[];
  readonly waiting: ((result: ExecutionEnvironment | Error) => void)[];
  isStarting: boolean;
  patience: NodeJS.Timeout | undefined;
}

/** The execution environments of all functions: warm ones are used again, the last used first. */
export class EnvironmentPool {
  readonly #kernel: Kernel;
  readonly #slots = new Map<LambdaFunction, Slot>();
  #live = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** An environment for one invocation; `release` must follow. Rejects when the function's role cannot be assumed. */
  acquire(fn: LambdaFunction): Promise<ExecutionEnvironment> {
    const slot = this.#slotOf(fn);
    for (let idle = slot.idle.pop(); idle; idle = slot.idle.pop()) {
      if (idle.isUsable) return Promise.resolve(idle);
      this.#remove(slot, idle);
    }
    return new Promise((resolve, reject) => {
      slot.waiting.push((result) => (result instanceof Error ? reject(result) : resolve(result)));
      this.#serve(slot);
    });
  }

  release(environment: ExecutionEnvironment): void {
    const slot = this.#slotOf(environment.fn);
    if (!slot.live.has(environment)) return;
    if (environment.isUsable) this.#give(slot, environment);
    else this.#remove(slot, environment);
    for (const each of this.#slots.values()) this.#serve(each);
  }

  /** Ends all environments of a function that is deleted. */
  async drop(fn: LambdaFunction): Promise<void> {
    const slot = this.#slots.get(fn);
    if (!slot) return;
    this.#slots.delete(fn);
    this.#live -= slot.live.size;
    clearTimeout(slot.patience);
    for (const waiting of slot.waiting) waiting(functionNotFound(fn.arn));
    const live = [...slot.live];
    slot.live.clear();
    await Promise.all(live.map((each) => each.terminate()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#slots.keys()].map((fn) => this.drop(fn)));
  }

  #slotOf(fn: LambdaFunction): Slot {
    let slot = this.#slots.get(fn);
    if (!slot) {
      slot = { fn, live: new Set(), idle: [], waiting: [], isStarting: false, patience: undefined };
      this.#slots.set(fn, slot);
    }
    return slot;
  }

  #give(slot: Slot, environment: ExecutionEnvironment): void {
    const next = slot.waiting.shift();
    if (next) next(environment);
    else slot.idle.push(environment);
  }

  /** Sees to it that those who wait are served: by what becomes free first, an environment at work or a new one. */
  #serve(slot: Slot): void {
    if (slot.waiting.length === 0 || slot.isStarting || slot.patience) return;
    if (slot.live.size === 0) {
      this.#start(slot);
      return;
    }
    slot.patience = setTimeout(() => {
      slot.patience = undefined;
      this.#start(slot);
    }, PATIENCE_MS);
  }

  /** One at a time, as far as the limits go. */
  #start(slot: Slot): void {
    if (slot.waiting.length === 0 || slot.live.size >= MAX_PER_FUNCTION || !this.#makeRoom(slot)) return;
    let environment: ExecutionEnvironment;
    try {
      environment = new ExecutionEnvironment(this.#kernel, slot.fn);
    } catch (error) {
      slot.waiting.shift()?.(error instanceof Error ? error : new Error(String(error)));
      this.#serve(slot);
      return;
    }
    slot.live.add(environment);
    this.#live += 1;
    slot.isStarting = true;
    void environment.started().then(() => {
      slot.isStarting = false;
      if (!slot.live.has(environment)) return;
      // Why one has not started is told to an invocation.
      if (environment.isUsable || slot.waiting.length > 0) this.#give(slot, environment);
      else this.#remove(slot, environment);
      this.#serve(slot);
    });
  }

  /** False when all environments there may be are at work. */
  #makeRoom(slot: Slot): boolean {
    if (this.#live < MAX_IN_ALL) return true;
    const other = [...this.#slots.values()].find((each) => each !== slot && each.idle.length > 0);
    const oldest = other?.idle.shift();
    if (!other || !oldest) return false;
    this.#remove(other, oldest);
    return true;
  }

  #remove(slot: Slot, environment: ExecutionEnvironment): void {
    if (!slot.live.delete(environment)) return;
    this.#live -= 1;
    void environment.terminate();
  }
}
