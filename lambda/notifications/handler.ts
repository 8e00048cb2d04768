import { Notice } from '@thingstead/contracts/notices';
import { validate } from '@thingstead/contracts/validate';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { deliver } from './deliver.ts';
import type { Ports } from './ports.ts';

const CONCURRENT_NOTICES = 2;
/** A Publish, its record, and the rest of a batch that is given back. */
const NEEDED_MS = 20_000;

/** No notice: something else was put on the queue, or moved back to it. It ends in the queue of failures. */
export class InvalidNoticeError extends Error {
  override readonly name = 'InvalidNoticeError';
}

interface TimeLeft {
  getRemainingTimeInMillis(): number;
}

/** The handler of the notices queue. Only notices that are not finished come again. */
export function createHandler(
  ports: Omit<Ports, 'mayBegin'>,
): (event: SQSEvent, context: TimeLeft) => Promise<SQSBatchResponse> {
  return async ({ Records }, context) => {
    const mayBegin = (): boolean => context.getRemainingTimeInMillis() > NEEDED_MS;
    const failed = await mapConcurrent(Records, CONCURRENT_NOTICES, async ({ messageId, body }) => {
      try {
        await deliver(parse(body), { ...ports, mayBegin });
        return [];
      } catch (error) {
        ports.reports.failed('notice', error);
        return [{ itemIdentifier: messageId }];
      }
    });
    return { batchItemFailures: failed.flat() };
  };
}

function parse(body: string): Notice {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new InvalidNoticeError('a message on the queue is no JSON', { cause: error });
  }
  const notice = validate(Notice, value);
  if (!notice.ok) throw new InvalidNoticeError(`a message on the queue is no notice: ${notice.reason}`);
  return notice.value;
}
