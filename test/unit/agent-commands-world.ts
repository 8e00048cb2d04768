/** Commands on a disk that can lose power, with handlers that end when the test says so. */
import { setImmediate as turn } from 'node:timers/promises';
import type { CommandOutcome } from '@thingstead/contracts/commands';
import { CommandMemory } from '../../device/src/commands/command-memory.ts';
import { type CommandHandler, CommandRunner } from '../../device/src/commands/command-runner.ts';
import { CommandStore } from '../../device/src/commands/command-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { keptLog } from './agent-session.ts';
import { SimulatedDisk } from './outbox-disk.ts';

export const NOW = Date.parse('2026-06-01T00:00:00Z');
const FAR = 3_600_000;

/** The id of the n-th command; later ones are greater. */
export const idOf = (number: number): string => `01J${String(number).padStart(23, '0')}`;

interface Happened {
  readonly id: string;
  /** How many operations the disk had seen. */
  readonly at: number;
}

export class CommandWorld {
  readonly disk: SimulatedDisk;
  readonly clock: ManualClock;
  readonly log = keptLog();
  /** What began, and what was said. */
  readonly begun: Happened[] = [];
  readonly said: (Happened & { readonly outcome: CommandOutcome })[] = [];
  readonly running: { readonly id: string; readonly end: (error?: Error) => void }[] = [];
  runner: CommandRunner;
  /** When asked to end by force, handlers do. */
  obedient = true;

  constructor(disk = new SimulatedDisk(), clock = new ManualClock(NOW)) {
    this.disk = disk;
    this.clock = clock;
    this.runner = this.#start();
  }

  /** kill -9, and a new process. */
  restart(): void {
    this.running.length = 0;
    this.runner = this.#start();
  }

  /** A command comes, with a name of its own by its number: every third is repeatable, every seventh is unknown. */
  deliver(number: number, change: object = {}): void {
    const id = idOf(number);
    const name = number % 7 === 6 ? 'unknown' : isRepeatable(number) ? 'blink' : 'open';
    this.deliverRaw(id, { id, name, payload: { number }, expiresAt: this.clock.now() + FAR, ...change });
  }

  deliverRaw(id: string, body: unknown): void {
    const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const answer = this.runner.receive(id, payload);
    if (answer) this.#say(id, answer);
  }

  /** The cloud acknowledges everything that was said. */
  acknowledge(): void {
    for (const { id, outcome } of this.runner.untold()) this.runner.told(id, outcome);
  }

  /** Lets the first running handler end. */
  async endOne(error?: Error): Promise<void> {
    this.running.shift()?.end(error);
    await turn();
  }

  async endAll(): Promise<void> {
    await turn();
    while (this.running.length > 0) await this.endOne();
  }

  /** The last thing that was said of a command. */
  lastOf(number: number): CommandOutcome | undefined {
    return this.said.findLast(({ id }) => id === idOf(number))?.outcome;
  }

  #start(): CommandRunner {
    const { clock, log } = this;
    const memory = new CommandMemory({ store: new CommandStore(this.disk, 'commands'), clock, log });
    const runner = new CommandRunner({ handlers: this.#handlers(), memory, clock, log });
    runner.onNews(() => {
      if (runner === this.runner) for (const { id, outcome } of runner.untold()) this.#say(id, outcome);
    });
    // Its first steps may already say something.
    this.runner = runner;
    runner.start();
    return runner;
  }

  #handlers(): ReadonlyMap<string, CommandHandler> {
    const handler = (repeatable: boolean): CommandHandler => ({
      repeatable,
      run: (payload, id, signal) => {
        this.begun.push({ id, at: this.disk.trace.length });
        return new Promise((resolve, reject) => {
          const end = (error?: Error): void => (error ? reject(error) : resolve({ done: payload }));
          this.running.push({ id, end });
          signal.addEventListener('abort', () => this.obedient && reject(new Error('cut off')));
        });
      },
    });
    return new Map([
      ['open', handler(false)],
      ['blink', handler(true)],
    ]);
  }

  #say(id: string, outcome: CommandOutcome): void {
    this.said.push({ id, outcome, at: this.disk.trace.length });
  }
}

export function isRepeatable(number: number): boolean {
  return number % 3 === 2;
}
