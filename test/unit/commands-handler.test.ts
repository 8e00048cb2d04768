/** What the function of command deliveries takes from its queue and its rule. */
import type { SQSEvent } from 'aws-lambda';
import { firstCommandId } from '../../contracts/src/command-store.ts';
import { createHandler } from '../../lambda/command-deliveries/handler.ts';
import type { Ports } from '../../lambda/command-deliveries/ports.ts';
import { InvalidEventError } from '../../lambda/rules/device-message.ts';

const never = (): never => {
  throw new Error('nobody calls this');
};

function handlerWith(read: Ports['commands']['read']) {
  const failures: string[] = [];
  const handler = createHandler({
    commands: { read, change: never, recordLate: never, advance: never, waiting: never },
    topics: { publish: never },
    ticks: { send: never },
    things: { find: never },
    access: never,
    now: () => 1_000_000,
    reports: {
      ...{ changed: never, published: never, refused: never, contradicted: never, late: never },
      failed: (what) => failures.push(what),
    },
  });
  return { handler, failures };
}

const id = firstCommandId(0);
const tick = (thing: string): string => JSON.stringify({ thing, id, tick: 0, at: 0 });

function batch(...bodies: readonly string[]): SQSEvent {
  // Only what the handler reads of a record is there.
  return { Records: bodies.map((body, n) => ({ messageId: `m${n}`, body })) } as unknown as SQSEvent;
}

it('only messages that fail come again', async () => {
  const { handler, failures } = handlerWith(async (thing) => (thing === 'broken' ? never() : undefined));
  const answer = await handler(batch(tick('lamp'), 'nonsense', tick('broken'), '{"thing":"lamp"}', tick('gate')));

  expect(answer).toEqual({ batchItemFailures: ['m1', 'm2', 'm3'].map((itemIdentifier) => ({ itemIdentifier })) });
  expect(failures).toEqual(['tick', 'tick', 'tick']);
});

it.each([
  undefined,
  'text',
  { thing: 'lamp', command: id, at: 1 },
  { thing: 'not a thing', command: id, at: 1, payload: '' },
])('an event that is not of the rule fails: %j', async (event) => {
  const { handler, failures } = handlerWith(never);

  await expect(handler(event)).rejects.toThrow(InvalidEventError);
  expect(failures).toEqual(['outcome']);
});

it('an outcome fails as a whole when the table does, so that Lambda tries again', async () => {
  const { handler } = handlerWith(() => Promise.reject(new Error('throttled')));
  const payload = Buffer.from('{"state":"EXECUTED"}').toString('base64');

  await expect(handler({ thing: 'lamp', command: id, at: 1, payload })).rejects.toThrow('throttled');
});
