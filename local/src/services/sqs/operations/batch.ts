import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { AwsError } from '../../../kernel/errors.ts';

interface BatchEntry {
  readonly Id?: string | undefined;
}

/**
 * Runs `run` for each entry of a batch; entries that throw are reported as failed.
 *
 * @throws AwsError EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct
 */
export function runBatch<Entry extends BatchEntry, Result>(
  entries: readonly Entry[] | undefined,
  run: (entry: Entry, id: string) => Result,
): { Successful: Result[]; Failed: BatchResultErrorEntry[] } {
  if (!entries || entries.length === 0) {
    throw new AwsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  }
  if (entries.length > 10) {
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  const ids = entries.map(({ Id }) => {
    if (Id && /^[\w-]{1,80}$/.test(Id)) return Id;
    throw new AwsError(
      'InvalidBatchEntryId',
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    );
  });
  const repeated = ids.find((id, at) => ids.indexOf(id) !== at);
  if (repeated !== undefined) throw new AwsError('BatchEntryIdsNotDistinct', `Id ${repeated} repeated.`);

  const Successful: Result[] = [];
  const Failed: BatchResultErrorEntry[] = [];
  for (const [at, entry] of entries.entries()) {
    const id = ids[at] ?? '';
    try {
      Successful.push(run(entry, id));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id: id, Code: error.code, Message: error.message, SenderFault: error.status < 500 });
    }
  }
  return { Successful, Failed };
}
