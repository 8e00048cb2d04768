import { type CommandOutcome, PENDING_COMMANDS } from '@thingstead/contracts/commands';
import { commandTopic } from '@thingstead/contracts/topics';
import { type Clock, pause } from '../clock.ts';
import type { Log } from '../log.ts';
import type { PublishOutcome, Session } from '../session.ts';
import type { SessionPart } from '../session-part.ts';
import type { CommandRunner } from './command-runner.ts';

/** Pause before it says again what was not acknowledged on a connection that lasts. */
const AGAIN_MS = 30_000;

export interface CommandSessionOptions {
  readonly thing: string;
  readonly runner: CommandRunner;
  readonly clock: Clock;
  readonly log: Log;
}

interface Connection {
  readonly session: Session;
  readonly over: AbortSignal;
  /** Outcomes that the cloud does not take on this connection. */
  readonly refused: Set<string>;
}

/**
 * Commands over MQTT: takes them, asks on every connection for those that wait in the cloud, and says outcomes until they are
 * acknowledged. A device without handlers asks for none, since every question costs; what comes all the same is rejected.
 */
export class CommandSession implements SessionPart {
  readonly filters: readonly string[];
  readonly #options: CommandSessionOptions;
  #current: Connection | undefined;
  #telling: Promise<void> | undefined;

  constructor(options: CommandSessionOptions) {
    this.#options = options;
    this.filters = [commandTopic(options.thing, '+')];
    options.runner.onNews(() => void this.#tell());
  }

  on(session: Session, subscribed: () => Promise<boolean>, over: AbortSignal): void {
    const { thing, runner } = this.#options;
    session.onMessage((topic, payload) => {
      const id = topic.split('/')[3] ?? '';
      if (topic !== commandTopic(thing, id)) return;
      const answer = runner.receive(id, payload);
      if (answer) void this.#publish(session, id, answer);
    });
    const current = { session, over, refused: new Set<string>() };
    this.#current = current;
    over.addEventListener('abort', () => {
      if (this.#current === current) this.#current = undefined;
    });
    void this.#ask(session, subscribed, over);
    void this.#tell();
  }

  async end(): Promise<void> {
    await this.#options.runner.end();
    while (this.#next()) await this.#tell();
  }

  /** Asks for the commands that wait. */
  async #ask(session: Session, subscribed: () => Promise<boolean>, over: AbortSignal): Promise<void> {
    const { runner, clock } = this.#options;
    if (!runner.isUseful || !(await subscribed())) return;
    while (!over.aborted) {
      const { kind } = await this.#publish(session, PENDING_COMMANDS, {});
      if (kind !== 'unanswered') return;
      await pause(clock, AGAIN_MS, over);
    }
  }

  /** The next outcome that can be said on the present connection. */
  #next(): ReturnType<CommandRunner['untold']>[number] | undefined {
    const { refused } = this.#current ?? {};
    return refused && this.#options.runner.untold().find(({ id }) => !refused.has(id));
  }

  /** Says what is untold. Calls while it runs join the run. */
  #tell(): Promise<void> {
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
      if (this.#next()) void this.#tell();
    });
    return this.#telling;
  }

  async #tellAll(): Promise<void> {
    const { runner, clock } = this.#options;
    for (let next = this.#next(); next && this.#current; next = this.#next()) {
      const { session, over, refused } = this.#current;
      const { kind } = await this.#publish(session, next.id, next.outcome);
      if (kind === 'acknowledged') runner.told(next.id, next.outcome);
      else if (kind === 'refused') refused.add(next.id);
      else await pause(clock, AGAIN_MS, over);
    }
  }

  async #publish(session: Session, id: string, body: CommandOutcome | object): Promise<PublishOutcome> {
    const { thing, log } = this.#options;
    const topic = `${commandTopic(thing, id)}/outcome`;
    const outcome = await session.publish(topic, Buffer.from(JSON.stringify(body)));
    if (outcome.kind === 'refused') {
      const message = 'the cloud refuses what the device says of a command';
      log.error('command.outcome_refused', { message, id, reason: outcome.reason });
    }
    return outcome;
  }
}
