import type { TransferRow, TransferState } from '@thingstead/contracts/file-store';
import type { FileDirection } from '@thingstead/contracts/files';
import { stateOf } from '../file-transfers/life-cycle.ts';
import type { Ports } from './ports.ts';

const PAGE = 100;

export interface Wanted {
  readonly thing: string;
  /** Nothing older. */
  readonly from: number;
  readonly direction: FileDirection | undefined;
  readonly state: TransferState | undefined;
  readonly before: string | undefined;
  readonly limit: number;
}

/**
 * Transfers of a thing, newest first; `cursor` when there may be more. The id is its sender's word, so what is theirs to see
 * is told by when it began here.
 */
export async function list(
  { thing, from, direction, state, before, limit }: Wanted,
  { lists, now }: Pick<Ports, 'lists' | 'now'>,
): Promise<{ readonly rows: readonly TransferRow[]; readonly cursor: string | undefined }> {
  const at = now();
  const rows: TransferRow[] = [];
  let last = before;
  for (;;) {
    const page = await lists.page(thing, last, PAGE);
    for (const [index, row] of page.rows.entries()) {
      last = row.id;
      const isShown =
        row.startedAt >= from &&
        row.expiresAt > at / 1000 &&
        (direction === undefined || row.direction === direction) &&
        (state === undefined || stateOf(row, at) === state);
      if (isShown) rows.push(row);
      const isEnd = !page.more && index === page.rows.length - 1;
      if (rows.length === limit) return { rows, cursor: isEnd ? undefined : last };
    }
    if (!page.more) return { rows, cursor: undefined };
  }
}
