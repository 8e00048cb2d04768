import type { CommandRow, CommandTick, LateOutcome } from '@thingstead/contracts/command-store';
import type { CommandMessage, CommandOutcome, CommandState } from '@thingstead/contracts/commands';
import type { Access } from '../http/request.ts';

/** A step of a command, with what is to be told of it. */
export type Step = Pick<CommandRow, 'state' | 'changedAt' | 'reason' | 'result' | 'resultTruncated'>;

/** The commands table, as far as commands go on in it. Reads are consistent but for `waiting`, which may be late. */
export interface Commands {
  read(thing: string, id: string): Promise<CommandRow | undefined>;
  /** Only from this state. False when it has another by now. */
  change(command: CommandRow, from: CommandState, step: Step): Promise<boolean>;
  /** Only the first one, and only of a command that has expired. False otherwise. */
  recordLate(command: CommandRow, outcome: LateOutcome): Promise<boolean>;
  /** Names the tick that comes next. False when another copy of the tick was faster. */
  advance(command: CommandRow, to: number): Promise<boolean>;
  /** Ids of commands of a thing that have not ended, the oldest first. */
  waiting(thing: string, limit: number): Promise<readonly string[]>;
}

/** Messages to devices. What is published while a device is away is gone, unless its session is kept. */
export interface CommandTopics {
  publish(thing: string, message: CommandMessage): Promise<void>;
}

/** The queue of deliveries. */
export interface Ticks {
  /** `delaySeconds`: 0 to 900, a limit of SQS. */
  send(tick: CommandTick, delaySeconds: number): Promise<void>;
}

/** What presence has written; it may be seconds late. */
export interface Things {
  /** Undefined when there is no such thing. */
  find(thing: string): Promise<{ readonly connected: boolean } | undefined>;
}

/** Tells the operator what happened. Neither payloads nor results are in it. */
export interface Reports {
  changed(command: Pick<CommandRow, 'thing' | 'id' | 'name'>, state: CommandState): void;
  published(command: Pick<CommandRow, 'thing' | 'id' | 'name'>): void;
  /** An outcome that is none, or is of no command of the thing. */
  refused(outcome: { readonly thing: string; readonly command: string; readonly reason: string }): void;
  /** A device said something else before. */
  contradicted(command: Pick<CommandRow, 'thing' | 'id' | 'state'>, outcome: CommandOutcome['state']): void;
  late(command: Pick<CommandRow, 'thing' | 'id'>, outcome: CommandOutcome['state']): void;
  /** A message could not be processed and comes again. */
  failed(what: string, error: unknown): void;
}

/** What it takes to bring a command to its device. */
export interface DeliveryPorts {
  readonly commands: Commands;
  readonly topics: CommandTopics;
  readonly reports: Reports;
  /** Epoch milliseconds. */
  now(): number;
}

export interface Ports extends DeliveryPorts {
  readonly ticks: Ticks;
  readonly things: Things;
  /** What a person may do with a thing now; undefined: nothing. */
  access(person: string, thing: string): Promise<Access | undefined>;
}
