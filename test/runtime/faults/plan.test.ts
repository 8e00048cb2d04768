/** The plan of harm: what is refused, what is counted, and that the same seed does the same. */
import { CreateQueueCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Fault } from '../../support/faults.ts';
import { type Runtime, startRuntime } from '../../support/runtime.ts';

let runtime: Runtime;
let sqs: SQSClient;

beforeAll(async () => {
  runtime = await startRuntime();
  sqs = new SQSClient({ ...runtime.config, maxAttempts: 1 });
});
afterAll(() => runtime.stop());
beforeEach(() => runtime.faults([]));

async function post(body: string): Promise<{ status: number; message: string }> {
  const response = await fetch(`${runtime.endpoints.awsEndpoint}/_local/faults`, { method: 'POST', body });
  return { status: response.status, message: ((await response.json()) as { message: string }).message };
}

const listing = { at: 'call', match: { service: 'sqs', operation: 'ListQueues' }, do: 'error' } as const;

/** One character per call: `x` for one that failed. */
async function list(calls: number): Promise<string> {
  let outcome = '';
  for (let call = 0; call < calls; call += 1) {
    outcome += await sqs.send(new ListQueuesCommand({})).then(
      () => '.',
      () => 'x',
    );
  }
  return outcome;
}

describe('a plan', () => {
  it.each<[string, unknown, string]>([
    ['no object', [], 'the plan is []; it has to be an object'],
    ['no faults', {}, 'faults is missing; it has to be a list; an empty one ends all harm'],
    ['an unknown member', { faults: [], when: 1 }, 'the plan has no member when; it has seed, faults'],
    ['a seed that is no integer', { seed: 1.5, faults: [] }, 'seed is 1.5; it has to be a whole number'],
    [
      'an unknown point',
      { faults: [{ at: 'disk', do: 'error' }] },
      'faults[0].at is "disk"; it has to be one of call, ',
    ],
    [
      'a harm of another point',
      { faults: [listing, { at: 'event', do: 'error' }] },
      'faults[1].do is "error"; it has to be at event one of duplicate, delay, drop, reorder',
    ],
    [
      'a member of the match that the point does not have',
      { faults: [{ ...listing, match: { queue: 'a' } }] },
      'faults[0].match has no member queue; it has function, service, operation',
    ],
    ['an unknown service', { faults: [{ ...listing, match: { service: 'sq' } }] }, 'faults[0].match.service is "sq"; '],
    [
      'an operation of another service',
      { faults: [{ ...listing, match: { service: 'sqs', operation: 'PutItem' } }] },
      'faults[0].match.operation is "PutItem"; it has to be an operation of sqs, such as ',
    ],
    ['an empty name', { faults: [{ ...listing, match: { function: '' } }] }, 'faults[0].match.function is ""; '],
    [
      'a filter that is none',
      { faults: [{ at: 'event', match: { topic: 'a/#/b' }, do: 'drop' }] },
      'faults[0].match.topic is "a/#/b"; it has to be an MQTT topic filter',
    ],
    ['a probability of 2', { faults: [{ ...listing, probability: 2 }] }, 'faults[0].probability is 2; it has to be a '],
    ['a negative skip', { faults: [{ ...listing, skip: -1 }] }, 'faults[0].skip is -1; it has to be a whole number'],
    ['no times', { faults: [{ ...listing, times: 0 }] }, 'faults[0].times is 0; it has to be a whole number from 1'],
    [
      'a delay that does not say how long',
      { faults: [{ at: 'event', do: 'delay' }] },
      'faults[0].delaySeconds is missing',
    ],
    [
      'a delay of something that is not delayed',
      { faults: [{ ...listing, delaySeconds: 1 }] },
      'faults[0].delaySeconds is 1; it has to be for do "delay" and "reorder" only',
    ],
    [
      'now for something else',
      { faults: [{ ...listing, now: true }] },
      'faults[0].now is true; it has to be for at "conn',
    ],
    [
      'a match that is no object',
      { faults: [{ ...listing, match: 'all' }] },
      'faults[0].match is "all"; it has to be an ',
    ],
  ])('with %s is refused', async (_what, plan, message) => {
    const before = await runtime.faults([listing]);

    const answer = await post(JSON.stringify(plan));

    expect(answer).toEqual({ status: 400, message: expect.stringContaining(message) });
    expect(await runtime.faultReport()).toEqual(before);
  });

  it('that is no JSON is refused', async () => {
    expect(await post('{')).toEqual({ status: 400, message: expect.stringContaining('no JSON') });
  });

  it('tells how often each fault has matched and done harm', async () => {
    // GIVEN
    const given: Fault[] = [
      { ...listing, skip: 2, times: 2 },
      { at: 'call', match: { operation: 'CreateQueue' }, do: 'throttle' },
    ];
    await runtime.faults(given, 7);

    // WHEN
    const outcome = await list(6);

    // THEN
    expect(outcome).toBe('..xx..');
    expect(await runtime.faultReport()).toEqual({
      seed: 7,
      faults: [
        { ...given[0], probability: 1, matched: 6, harmed: 2 },
        { ...given[1], probability: 1, skip: 0, matched: 0, harmed: 0 },
      ],
    });
  });

  it('does one harm to a call: that of the first fault which is due', async () => {
    await runtime.faults([listing, { ...listing, do: 'throttle' }]);

    const failure = await sqs.send(new ListQueuesCommand({})).catch((error: Error) => error.name);

    expect(failure).toBe('InternalFailure');
    expect((await runtime.faultReport()).faults).toMatchObject([
      { matched: 1, harmed: 1 },
      { matched: 1, harmed: 0 },
    ]);
  });

  it('depends on its seed alone', async () => {
    const half = { ...listing, probability: 0.5 };
    const outcomes: string[] = [];
    for (const seed of [1, 2, 1]) {
      await runtime.faults([half], seed);
      outcomes.push(await list(32));
    }

    expect(outcomes[0]).toBe(outcomes[2]);
    expect(outcomes[0]).not.toBe(outcomes[1]);
    expect(outcomes[0]).toMatch(/^(?=.*x)(?=.*\.)/);
  });

  it('ends with an empty list, and with a reset', async () => {
    await runtime.faults([listing]);
    expect(await list(1)).toBe('x');
    await runtime.faults([]);
    expect(await list(1)).toBe('.');

    await runtime.faults([listing], 3);
    await runtime.reset();

    expect(await runtime.faultReport()).toEqual({ seed: 0, faults: [] });
    expect(await list(1)).toBe('.');
    await sqs.send(new CreateQueueCommand({ QueueName: 'after' }));
  });
});
