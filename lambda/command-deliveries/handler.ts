import { CommandTick } from '@thingstead/contracts/command-store';
import { CommandOutcomeEvent } from '@thingstead/contracts/commands';
import { validate } from '@thingstead/contracts/validate';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { InvalidEventError } from '../rules/device-message.ts';
import { onOutcome } from './outcome.ts';
import type { Ports } from './ports.ts';
import { onTick } from './tick.ts';

const CONCURRENCY = 10;

/**
 * The handler of the queue of deliveries and of the rule on outcomes. Ticks that fail come again by themselves, each alone;
 * an outcome on which it fails Lambda repeats twice and then puts aside.
 */
export function createHandler(ports: Ports): (event: unknown) => Promise<SQSBatchResponse | undefined> {
  return async (event) => {
    if (isBatch(event)) return { batchItemFailures: await runTicks(event, ports) };
    try {
      const valid = validate(CommandOutcomeEvent, event);
      if (!valid.ok) throw new InvalidEventError(`this is no event of the rule: ${valid.reason}`);
      await onOutcome(valid.value, ports);
      return undefined;
    } catch (error) {
      ports.reports.failed('outcome', error);
      throw error;
    }
  };
}

function isBatch(event: unknown): event is SQSEvent {
  return typeof event === 'object' && event !== null && 'Records' in event;
}

async function runTicks({ Records }: SQSEvent, ports: Ports): Promise<SQSBatchResponse['batchItemFailures']> {
  const failed = await mapConcurrent(Records, CONCURRENCY, async ({ messageId, body }) => {
    try {
      await onTick(parse(body), ports);
      return [];
    } catch (error) {
      ports.reports.failed('tick', error);
      return [{ itemIdentifier: messageId }];
    }
  });
  return failed.flat();
}

function parse(body: string): CommandTick {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new InvalidEventError('a message on the queue is no JSON', { cause: error });
  }
  const tick = validate(CommandTick, value);
  if (!tick.ok) throw new InvalidEventError(`a message on the queue is no tick: ${tick.reason}`);
  return tick.value;
}
