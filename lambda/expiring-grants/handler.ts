import { GrantEnding } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import type { Ports } from './ports.ts';

const CONCURRENCY = 10;

/**
 * Ends grants at their time: removes the row, and everything else follows from the table's stream. DynamoDB would remove it by
 * its time to live, within days. A message comes back until it is time, or until the grant is gone or has another end, for which
 * there is a message of its own: otherwise it would come back for years, for nothing.
 */
export function createHandler(ports: Ports): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records }) => {
    const failed = await mapConcurrent(Records, CONCURRENCY, async ({ messageId, body }) => {
      try {
        await look(parseRow(GrantEnding, JSON.parse(body), 'a message on the queue'), ports);
        return [];
      } catch (error) {
        ports.failed(error);
        return [messageId];
      }
    });
    return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

async function look(ending: GrantEnding, { grants, endings, ended, now }: Ports): Promise<void> {
  const { person, target, endsAt } = ending;
  if (now() >= endsAt) {
    if (await grants.end(person, target, now())) ended(ending);
  } else if ((await grants.endOf(person, target)) === endsAt) await endings.schedule(ending);
}
