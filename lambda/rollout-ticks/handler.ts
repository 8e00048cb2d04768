import { RolloutTick } from '@thingstead/contracts/rollout-store';
import { validate } from '@thingstead/contracts/validate';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { TickPorts } from '../rollouts/ports.ts';
import { InvalidEventError } from '../rules/device-message.ts';
import { onTick } from './tick.ts';

/** The handler of the queue of rollouts. Ticks that fail come again by themselves, each alone. */
export function createHandler(ports: TickPorts): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records }) => {
    const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
    // One after the other: a tick has enough to do at the same time.
    for (const { messageId, body } of Records) {
      try {
        await onTick(parse(body), ports);
      } catch (error) {
        ports.reports.failed('tick', error);
        batchItemFailures.push({ itemIdentifier: messageId });
      }
    }
    return { batchItemFailures };
  };
}

function parse(body: string): RolloutTick {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new InvalidEventError('a message on the queue is no JSON', { cause: error });
  }
  const tick = validate(RolloutTick, value);
  if (!tick.ok) throw new InvalidEventError(`a message on the queue is no tick: ${tick.reason}`);
  return tick.value;
}
