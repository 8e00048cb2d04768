import { type Check, type Observation, PresenceMessage } from '@thingstead/contracts/presence';
import { validate } from '@thingstead/contracts/validate';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { mapConcurrent } from '../adapters/map-concurrent.ts';
import { check } from './check.ts';
import { observe } from './observe.ts';
import type { Ports } from './ports.ts';
import { checkSilence, sweep } from './silence.ts';

const CONCURRENCY = 10;

/** A message that neither a rule nor this function puts on the queue. It comes again, and ends in the dead-letter queue. */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError';
}

interface Work {
  readonly what: string;
  readonly messageIds: readonly string[];
  run(): Promise<void>;
}

/**
 * The handler of both queues. Observations of one thing in a batch are one read and one write; a failure brings back the
 * messages of that thing alone: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function createHandler(ports: Ports): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records }) => {
    const failed = await mapConcurrent(plan(Records, ports), CONCURRENCY, async ({ what, messageIds, run }) => {
      try {
        await run();
        return [];
      } catch (error) {
        ports.reports.failed(what, error);
        return messageIds;
      }
    });
    return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

function plan(records: readonly SQSRecord[], ports: Ports): readonly Work[] {
  const observations = new Map<string, { readonly messageIds: string[]; readonly observations: Observation[] }>();
  const work: Work[] = [];
  for (const { messageId, body } of records) {
    const message = parse(body);
    if (message instanceof Error) {
      work.push({ what: 'message', messageIds: [messageId], run: () => Promise.reject(message) });
    } else if (isCheck(message)) {
      work.push({ what: message.kind, messageIds: [messageId], run: () => runCheck(message, ports) });
    } else {
      const ofThing = observations.get(message.thing) ?? { messageIds: [], observations: [] };
      ofThing.messageIds.push(messageId);
      ofThing.observations.push(message);
      observations.set(message.thing, ofThing);
    }
  }
  for (const [thing, { messageIds, observations: seen }] of observations) {
    work.push({ what: `presence of ${thing}`, messageIds, run: () => observe(thing, seen, ports) });
  }
  return work;
}

function runCheck(message: Check, ports: Ports): Promise<void> {
  if (message.kind === 'check') return check(message, ports);
  return message.kind === 'silence' ? checkSilence(message.thing, ports) : sweep(ports);
}

function isCheck(message: PresenceMessage): message is Check {
  return message.kind === 'check' || message.kind === 'silence' || message.kind === 'sweep';
}

function parse(body: string): PresenceMessage | InvalidMessageError {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    return new InvalidMessageError('a message on the queue is no JSON', { cause: error });
  }
  const valid = validate(PresenceMessage, value);
  return valid.ok ? valid.value : new InvalidMessageError(`a message on the queue cannot be read: ${valid.reason}`);
}
