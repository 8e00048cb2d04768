import { GrantEnding } from '@thingstead/contracts/grants';
import { parseRow } from '@thingstead/contracts/validate';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import type { Ports } from './ports.ts';

const CONCURRENCY = 10;

/**
 * Ends grants at their time: removes the row, and everything else follows from the table's stream. DynamoDB would remove it by
 * its time to live, within days. A message comes back until it is time; one that is overtaken does nothing.
 */
export function createHandler(ports: Ports): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records }) => {
    const failed = await mapConcurrent(Records, CONCURRENCY, async ({ messageId, body }) => {
      try {
        const ending = parseRow(GrantEnding, JSON.parse(body), 'a message on the queue');
        if (ports.now() < ending.endsAt) await ports.endings.schedule(ending);
        else if (await ports.grants.end(ending.person, ending.target, ports.now())) ports.ended(ending);
        return [];
      } catch (error) {
        ports.failed(error);
        return [messageId];
      }
    });
    return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
