import { operation } from '../../../kernel/define.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { itemPermission, prepare, take } from '../item-requests.ts';
import { type Page, type PageRequest, readPage, sourceOf, startOf } from '../read-page.ts';
import type { Tables } from '../tables.ts';

interface ScanRequest extends PageRequest {
  readonly Segment?: number;
  readonly TotalSegments?: number;
}

/** Scan: all items of a table or index, in no useful order, whole or in parallel segments. */
export function scan(tables: Tables): AnyOperation {
  return operation<unknown, Page>({
    permissions(input) {
      const request = prepare<ScanRequest>(tables, 'Scan', input);
      return [itemPermission(tables, 'Scan', request, [])];
    },
    run(input) {
      const request = take<ScanRequest>(tables, 'Scan', input);
      const table = tables.get(request.TableName);
      const source = sourceOf(request, table);
      const start = startOf(request, source, table);
      const entries = source.items.scan(request.Segment ?? 0, request.TotalSegments ?? 1, start);
      return readPage(tables, entries, request, source, table);
    },
  });
}
