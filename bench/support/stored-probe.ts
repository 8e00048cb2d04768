/**
 * Loaded into the runtime's process (`node --import`): notes when each benchmark message is in its table. A message
 * carries the monotonic time of its publication in `sentAt`, as microseconds in text; the clock is the machine's, so the
 * two processes agree on it.
 */
import { Table } from '../../local/src/services/dynamodb/table.ts';

export interface StoredReport {
  readonly stored: number;
  /** Milliseconds from publication to the table, of every message since the last question. */
  readonly latencies: readonly number[];
  /** Monotonic microseconds of the last one. */
  readonly lastAt: number;
  readonly heapBytes: number;
  /** Buffers and other memory outside the heap. */
  readonly externalBytes: number;
}

let latencies: number[] = [];
let lastAt = 0;
const put = Table.prototype.put;

Table.prototype.put = function storeAndNote(this: Table, item) {
  const old = put.call(this, item);
  const sentAt = item.sentAt?.S;
  if (sentAt !== undefined && this.name.endsWith('-history')) {
    lastAt = Number(process.hrtime.bigint() / 1000n);
    latencies.push((lastAt - Number(sentAt)) / 1000);
  }
  return old;
};

process.on('message', (question) => {
  if (question !== 'stored') return;
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const report: StoredReport = {
    stored: latencies.length,
    latencies,
    lastAt,
    heapBytes: heapUsed,
    externalBytes: external,
  };
  latencies = [];
  process.send?.(report);
});
// The runtime ends when it is told to, not when this channel does.
process.channel?.unref();
