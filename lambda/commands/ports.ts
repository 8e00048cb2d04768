import type { CommandRow, IdempotencyRow } from '@thingstead/contracts/command-store';
import type { DeliveryPorts, Things, Ticks } from '../command-deliveries/ports.ts';

/** A key and the command that was given under it. */
export interface GivenKey {
  readonly person: string;
  readonly key: string;
  readonly row: IdempotencyRow;
}

/** The commands table, as far as commands are given and listed. All reads are consistent. */
export interface GivenCommands {
  /** The row of a key, whether or not it has ended. */
  underKey(person: string, key: string): Promise<IdempotencyRow | undefined>;
  /** Stores a command with its key, both or neither. False when the key has a command that holds at `now`, or others write. */
  create(command: CommandRow, key: GivenKey, now: number): Promise<boolean>;
  /** Commands of a thing whose ids are in [from, before), the newest first; `more` when there may be others. */
  list(
    thing: string,
    range: { readonly from: string; readonly before: string | undefined; readonly limit: number },
  ): Promise<{ readonly rows: readonly CommandRow[]; readonly more: boolean }>;
}

export interface Ports extends DeliveryPorts {
  readonly given: GivenCommands;
  readonly ticks: Ticks;
  readonly things: Things;
  /** A new id, which sorts by time. */
  newId(now: number): string;
}
