import type { TransferRow } from '@thingstead/contracts/file-store';
import type { Things } from '../command-deliveries/ports.ts';
import type { Ports as TransferPorts } from '../file-transfers/ports.ts';

/** The files table, as far as it is listed. Reads are consistent; rows that are to be forgotten may be among them. */
export interface TransferLists {
  /** Transfers of a thing whose ids are before this one, the greatest id first; `more` when there may be others. */
  page(
    thing: string,
    before: string | undefined,
    limit: number,
  ): Promise<{ readonly rows: readonly TransferRow[]; readonly more: boolean }>;
}

export interface Ports extends TransferPorts {
  readonly lists: TransferLists;
  readonly things: Things;
  /** A new id, which sorts by time. */
  newId(now: number): string;
}
