import {
  CommandId,
  CommandMessage,
  type CommandOutcome,
  MAX_COMMAND_PAYLOAD_BYTES,
} from '@thingstead/contracts/commands';
import * as v from 'valibot';
import { type Clock, pause } from '../clock.ts';
import { messageOf } from '../configuration-error.ts';
import type { Log } from '../log.ts';
import { parseMessage } from '../parse-message.ts';
import type { CommandMemory } from './command-memory.ts';
import { executed, failed } from './command-result.ts';
import type { CommandRecord } from './command-store.ts';

/** Clocks of devices are not exact. */
const TOLERANCE_MS = 60_000;
/** A repeatable command that ends the agent every time is not begun again for ever. */
const MAX_BEGUN = 3;
/** How long it waits before it asks a disk again that does not take a record. */
const DISK_MS = 30_000;
/** What runs when the agent ends may take so long: a reboot has then been asked for, and says so. */
const GRACE_MS = 2_000;

const NOBODY_KNOWS = 'the agent was restarted while it ran, nobody knows whether it was done';

export interface CommandHandler {
  /** Rejects when it fails. */
  readonly run: (payload: unknown, id: string, signal: AbortSignal) => Promise<unknown>;
  readonly repeatable: boolean;
}

export interface CommandRunnerOptions {
  readonly handlers: ReadonlyMap<string, CommandHandler>;
  readonly memory: CommandMemory;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Executes commands, one after the other, each at most once however often it comes, and says what became of it. INVARIANTS: a command
 * is written down before it is called delivered; that it begins is written down before it does, its outcome before it is said.
 * So whoever finds "begun" without an outcome after a crash knows that nobody knows. An id has one outcome for ever.
 */
export class CommandRunner {
  readonly #options: CommandRunnerOptions;
  #started = false;
  readonly #queue: string[] = [];
  #work: Promise<void> | undefined;
  /** The agent ends: nothing begins any more; what runs is ended. */
  readonly #ending = new AbortController();
  readonly #stop = new AbortController();
  #news = (): void => {};

  constructor(options: CommandRunnerOptions) {
    this.#options = options;
  }

  /** Reads what an earlier process has left, and goes on with it. */
  start(): void {
    const { memory } = this.#options;
    if (this.#started || !memory.load()) return;
    this.#started = true;
    this.#queue.push(...memory.unfinished().map(({ id }) => id));
    this.#continue();
  }

  /** Whether there is anything that it could do. */
  get isUseful(): boolean {
    return this.#options.handlers.size > 0;
  }

  /** From now on calls this listener, and no other, when there may be something untold. */
  onNews(listener: () => void): void {
    this.#news = listener;
  }

  /** Outcomes that the cloud does not have yet. */
  untold(): ReturnType<CommandMemory['untold']> {
    return this.#options.memory.untold();
  }

  /** The cloud has it. */
  told(id: string, outcome: CommandOutcome): void {
    const { memory } = this.#options;
    const record = memory.get(id);
    if (record?.outcome === outcome) memory.keep({ ...record, told: true });
  }

  /** A command has come. Gives what is to be said at once, and need not be said again when that is lost. */
  receive(id: string, payload: Buffer): CommandOutcome | undefined {
    const { log, clock, memory } = this.#options;
    if (!v.is(CommandId, id)) {
      log.warn('command.unreadable', { id, reason: 'its topic has no id of a command' });
      return undefined;
    }
    // Without knowing what was done nothing may be done: it comes again with the next connection.
    this.start();
    if (!this.#started) return undefined;
    const known = memory.get(id);
    if (known) return this.#again(known);
    const message = parseMessage(CommandMessage, payload);
    const reason = !message.ok
      ? message.reason
      : message.value.id === id
        ? undefined
        : 'its id is not that of its topic';
    if (!message.ok || reason !== undefined) {
      log.warn('command.unreadable', { id, reason });
      return failed('REJECTED', `the device cannot read it: ${reason}`);
    }
    if (memory.isForgotten(id))
      return failed('FAILED', 'it is older than what the device remembers, nobody knows whether it was done');
    if (!memory.makeRoom()) return failed('REJECTED', 'too many commands wait');
    const { name, expiresAt, payload: input } = message.value;
    const record: CommandRecord = { id, name, expiresAt, begun: 0, payload: input, told: false };
    log.info('command.received', { id, name, inMs: expiresAt - clock.now() });
    const refusal = this.#refusal(record);
    if (refusal !== undefined) {
      this.#finish(record, failed('REJECTED', refusal));
      return undefined;
    }
    const kept = memory.keep(record);
    this.#queue.push(id);
    this.#continue();
    return kept ? { state: 'DELIVERED' } : undefined;
  }

  /** Begins nothing any more, and resolves when what runs has ended: by itself, or by force. */
  async end(): Promise<void> {
    this.#ending.abort();
    const cancel = this.#options.clock.after(GRACE_MS, () => this.#stop.abort());
    await this.#work;
    cancel();
  }

  #again(record: CommandRecord): CommandOutcome | undefined {
    this.#options.log.debug('command.repeated', { id: record.id });
    if (!record.outcome) return this.#options.memory.keep(record) ? { state: 'DELIVERED' } : undefined;
    this.#options.memory.tellAgain(record);
    this.#news();
    return undefined;
  }

  #continue(): void {
    if (this.#queue.length === 0 || this.#ending.signal.aborted) return;
    this.#work ??= this.#executeAll().finally(() => {
      this.#work = undefined;
      this.#continue();
    });
  }

  async #executeAll(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      const id = this.#queue.shift();
      const record = id === undefined ? undefined : this.#options.memory.get(id);
      if (!record) return;
      await this.#execute(record);
    }
  }

  async #execute(record: CommandRecord): Promise<void> {
    const { handlers, clock } = this.#options;
    const handler = handlers.get(record.name);
    const refusal = this.#refusal(record);
    if (record.begun > 0 && (refusal !== undefined || !handler?.repeatable || record.begun >= MAX_BEGUN)) {
      this.#finish(record, failed('FAILED', NOBODY_KNOWS));
      return;
    }
    if (!handler || refusal !== undefined) {
      this.#finish(record, failed('REJECTED', refusal ?? ''));
      return;
    }
    const begun = { ...record, begun: record.begun + 1 };
    while (!this.#options.memory.keep(begun)) {
      await pause(clock, DISK_MS, this.#ending.signal);
      if (this.#ending.signal.aborted) return;
      if (this.#refusal(record) !== undefined) {
        this.#finish(record, failed('REJECTED', 'it has expired before the disk of the device took it'));
        return;
      }
    }
    const outcome = await this.#perform(handler, begun);
    if (outcome) this.#finish(begun, outcome);
  }

  /** Undefined when it was cut off by the end of the agent, and may begin again. */
  async #perform(handler: CommandHandler, { id, name, payload }: CommandRecord): Promise<CommandOutcome | undefined> {
    this.#options.log.info('command.begun', { id, name });
    try {
      return executed(await handler.run(payload, id, this.#stop.signal));
    } catch (error) {
      if (!this.#stop.signal.aborted) return failed('FAILED', messageOf(error));
      return handler.repeatable ? undefined : failed('FAILED', 'the agent was ended while it ran');
    }
  }

  /** Why it must not begin. */
  #refusal({ name, expiresAt, payload }: CommandRecord): string | undefined {
    const { handlers, clock } = this.#options;
    if (!handlers.has(name)) return `the device knows no command "${name}"`;
    if (clock.now() > expiresAt + TOLERANCE_MS) {
      return `it has expired; the clock of the device says ${new Date(clock.now()).toISOString()}`;
    }
    const bytes = Buffer.byteLength(JSON.stringify(payload) ?? '');
    return bytes > MAX_COMMAND_PAYLOAD_BYTES
      ? `its payload has more than ${MAX_COMMAND_PAYLOAD_BYTES} bytes`
      : undefined;
  }

  #finish({ payload: _done, ...record }: CommandRecord, outcome: CommandOutcome): void {
    const { id, name } = record;
    this.#options.memory.keep({ ...record, outcome });
    this.#options.log.info('command.done', {
      id,
      name,
      state: outcome.state,
      ...(outcome.reason && { reason: outcome.reason }),
    });
    this.#news();
  }
}
