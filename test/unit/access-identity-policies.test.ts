/** Policies, connections and watching follow grants: whatever changes, and wherever a run is cut off. */
import fc from 'fast-check';
import { MAX_POLICIES, policyDocumentsOf } from '../../lambda/authorization/person-policy.ts';
import { createHandler } from '../../lambda/identity-policies/handler.ts';
import { lessens } from '../../lambda/identity-policies/lessens.ts';
import { reconcile } from '../../lambda/identity-policies/reconcile.ts';
import { AccessWorld, CutOff, changesOf, IDENTITY, PERSON } from './access-world.ts';

const NAMES = Array.from({ length: 26 }, (_, n) => `thing${String.fromCharCode(97 + n)}-${'x'.repeat(20)}`);
const some = fc.subarray(NAMES);

/** A person with these things, whose app is connected. */
async function worldWith(names: readonly string[]): Promise<AccessWorld> {
  const world = new AccessWorld();
  world.hold(names);
  await reconcile(changesOf(names), world.ports);
  world.connect(`${IDENTITY}-tab1`);
  world.now += 60_000;
  world.calls = 0;
  return world;
}

function changed(before: readonly string[], after: readonly string[]): readonly string[] {
  return [...before.filter((name) => !after.includes(name)), ...after.filter((name) => !before.includes(name))];
}

function expectRight(world: AccessWorld, before: readonly string[], after: readonly string[]): void {
  const documents = policyDocumentsOf(world.grants, { partition: 'aws', identityId: IDENTITY });
  const expected = documents.map((document, n) => [`thingstead-person-${PERSON}-${n + 1}`, document]);
  expect(Object.fromEntries(world.attached.map(({ name, document }) => [name, document]))).toEqual(
    Object.fromEntries(expected),
  );
  expect(world.policies.size).toBe(documents.length);
  expect([...world.watched].sort()).toEqual(after.map((name) => `thing#${name}`).sort());
  const lost = before.some((name) => !after.includes(name));
  expect({ lost, connected: world.connected.size, sessions: world.sessions.size }).toEqual({
    ...{ lost, connected: lost ? 0 : 1, sessions: lost ? 0 : 1 },
  });
}

it('any change comes to what the grants say, and ends connections if anything was taken away', async () => {
  await fc.assert(
    fc.asyncProperty(some, some, async (before, after) => {
      const world = await worldWith(before);
      world.hold(after);
      await reconcile(changesOf(changed(before, after)), world.ports);
      expectRight(world, before, after);
      // And again: nothing is done that was done.
      const calls = world.calls;
      await reconcile(changesOf(changed(before, after)), world.ports);
      expect(world.calls - calls).toBeLessThan(60);
      expectRight(world, before, after);
    }),
    { numRuns: 60 },
  );
});

it('a run that is cut off at any call, before its effect or after it, comes to the same when it is repeated', async () => {
  await fc.assert(
    fc.asyncProperty(some, some, fc.nat(), fc.boolean(), async (before, after, nth, isAfter) => {
      const undisturbed = await worldWith(before);
      undisturbed.hold(after);
      await reconcile(changesOf(changed(before, after)), undisturbed.ports);
      const world = await worldWith(before);
      world.hold(after);
      world.cut = { at: nth % undisturbed.calls, after: isAfter };
      await expect(reconcile(changesOf(changed(before, after)), world.ports)).rejects.toBeInstanceOf(CutOff);
      world.now += 1000;
      await reconcile(changesOf(changed(before, after)), world.ports);
      expectRight(world, before, after);
    }),
    { numRuns: 200 },
  );
});

it('while access only grows, or only shrinks, what stays is never without a policy', async () => {
  await fc.assert(
    fc.asyncProperty(some, some, async (one, other) => {
      const both = NAMES.filter((name) => one.includes(name) || other.includes(name));
      for (const [before, after] of [
        [one, both],
        [both, one],
      ] as const) {
        const world = await worldWith(before);
        const stays = before.filter((name) => after.includes(name));
        world.hold(after);
        world.onPolicies = () => {
          const text = world.attached.map(({ document }) => document).join();
          for (const name of stays) expect(text).toContain(`topicfilter/device/${name}/sensor/*`);
        };
        await reconcile(changesOf(changed(before, after)), world.ports);
      }
    }),
    { numRuns: 60 },
  );
});

it('more than fits is left out, and reported', async () => {
  const world = new AccessWorld();
  world.hold(Array.from({ length: 90 }, (_, n) => `sensor${n}`));

  await reconcile(changesOf([]), world.ports);

  expect(world.attached).toHaveLength(MAX_POLICIES);
  expect(world.tooMany[0]).toBeGreaterThan(MAX_POLICIES);
});

it('a grant that is over opens nothing', async () => {
  const world = new AccessWorld();
  world.hold(['lent'], 'owner', world.now);

  await reconcile(changesOf(['lent']), world.ports);

  expect(world.attached).toEqual([]);
  expect([...world.watched]).toEqual([]);
});

it('of a person who is gone, nothing is left on their identity', async () => {
  const world = await worldWith(NAMES.slice(0, 8));
  world.hasProfile = false;
  world.grants = [];

  await reconcile({ ...changesOf(NAMES.slice(0, 8)), identities: [IDENTITY] }, world.ports);

  expect([world.policies.size, world.connected.size, world.sessions.size, world.watched.size]).toEqual([0, 0, 0, 0]);
});

it('of a disabled account nothing is reachable, until it is enabled again', async () => {
  const names = NAMES.slice(0, 8);
  const world = await worldWith(names);
  world.disabledAt = world.now;

  await reconcile(changesOf([]), world.ports);

  expect([world.policies.size, world.connected.size]).toEqual([0, 0]);
  // What they are told of, they choose themselves.
  expect(world.watched.size).toBe(8);
  world.disabledAt = undefined;
  world.now += 60_000;
  world.connect(`${IDENTITY}-tab1`);
  await reconcile(changesOf([]), world.ports);
  expectRight(world, names, names);
});

describe('a connection that appears', () => {
  const appear = async (world: AccessWorld, connectedAt: number): Promise<void> => {
    const clientId = `${IDENTITY}-late`;
    world.connected.add(clientId);
    world.sessions.set(clientId, { clientId, connectedAt });
    const Keys = { pk: { S: `identity#${IDENTITY}` }, sk: { S: `session#${clientId}` } };
    const NewImage = { ...Keys, clientId: { S: clientId }, connectedAt: { N: String(connectedAt) } };
    const record = { eventName: 'INSERT', dynamodb: { Keys, NewImage, SequenceNumber: '1' } } as const;
    expect(await createHandler(world.ports)({ Records: [record] })).toEqual({ batchItemFailures: [] });
  };

  it.each([
    ['after access was reduced stays', 60_000, true],
    ['before is ended', -60_000, false],
    ['at that moment is ended: clocks differ', 1000, false],
  ])('%s', async (_what, after, stays) => {
    const world = new AccessWorld();
    world.accessReducedAt = world.now;
    await appear(world, world.now + after);
    expect(world.connected.size).toBe(stays ? 1 : 0);
  });

  it('stays when nothing was ever taken away, and is ended when the identity is nobody’s', async () => {
    const world = new AccessWorld();
    await appear(world, world.now);
    expect(world.connected.size).toBe(1);
    world.hasProfile = false;
    await appear(world, world.now);
    expect(world.connected.size).toBe(0);
  });

  it('is ended when the account is disabled', async () => {
    const world = new AccessWorld();
    world.disabledAt = world.now;
    await appear(world, world.now + 60_000);
    expect(world.connected.size).toBe(0);
  });
});

describe('a batch of the stream', () => {
  const grantRecord = (thing: string, SequenceNumber: string) =>
    ({
      eventName: 'INSERT',
      dynamodb: { Keys: { pk: { S: `person#${PERSON}` }, sk: { S: `grant#thing#${thing}` } }, SequenceNumber },
    }) as const;

  it('is one run for one person, and fails from the first record of what failed', async () => {
    const world = new AccessWorld();
    world.hold(['a', 'b']);
    const handler = createHandler(world.ports);
    const odd = { eventName: 'INSERT', dynamodb: { Keys: { pk: { S: 'code#x' }, sk: { S: 'code' } } } } as const;

    expect(await handler({ Records: [odd, grantRecord('a', '7'), grantRecord('b', '8')] })).toEqual({
      batchItemFailures: [],
    });
    expect([...world.watched]).toEqual(['thing#a', 'thing#b']);
    world.cut = { at: world.calls, after: false };
    expect(await handler({ Records: [odd, grantRecord('a', '7'), grantRecord('b', '8')] })).toEqual({
      batchItemFailures: [{ itemIdentifier: '7' }],
    });
    const broken = grantRecord('not a thing', '9');
    expect(await handler({ Records: [broken] })).toEqual({ batchItemFailures: [{ itemIdentifier: '9' }] });
  });
});

it('less is what leaves something out', () => {
  const of = (Resource: readonly string[], Action = 'iot:Publish') =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] });

  expect(lessens([], [of(['a'])])).toBe(false);
  expect(lessens([of(['a', 'b'])], [of(['b']), of(['a'])])).toBe(false);
  expect(lessens([of(['a', 'b'])], [of(['a'])])).toBe(true);
  expect(lessens([of(['a'])], [of(['a'], 'iot:Receive')])).toBe(true);
  expect(lessens(['not ours'], [of(['a'])])).toBe(true);
});
