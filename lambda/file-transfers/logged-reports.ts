import type { TransferRow, TransferState } from '@thingstead/contracts/file-store';
import type { FileRejection } from '@thingstead/contracts/files';
import type { Log } from '../adapters/log.ts';
import type { Reports } from './ports.ts';

/** Reports as structured log lines; what raises an alarm is counted too. */
export class LoggedReports implements Reports {
  readonly #log: Log;
  readonly #count: (metric: 'FileRequestsRefused' | 'FilesOrphaned') => void;

  constructor(log: Log, count: (metric: 'FileRequestsRefused' | 'FilesOrphaned') => void = () => undefined) {
    this.#log = log;
    this.#count = count;
  }

  changed(
    { thing, id, direction }: Pick<TransferRow, 'thing' | 'id' | 'direction'>,
    state: TransferState,
    reason?: string,
  ): void {
    this.#log.info('file.changed', { thing, id, direction, state, ...(reason !== undefined && { reason }) });
  }

  granted({ thing, id }: Pick<TransferRow, 'thing' | 'id'>, to: string): void {
    this.#log.info('file.granted', { thing, id, to });
  }

  offered({ thing, id }: Pick<TransferRow, 'thing' | 'id'>): void {
    this.#log.info('file.offered', { thing, id });
  }

  rejected(request: { readonly thing: string; readonly transfer: string } & FileRejection, unreadable: boolean): void {
    this.#log.warn('file.request_rejected', { ...request });
    if (unreadable) this.#count('FileRequestsRefused');
  }

  orphaned(key: string, reason: string): void {
    this.#log.warn('file.orphaned', { key, reason });
    this.#count('FilesOrphaned');
  }

  failed(what: string, error: unknown): void {
    this.#log.error('file.failed', { what, error });
  }
}
