/**
 * Exactly one publish for each notice and person, or a message in the queue of failures that says so, under crashes at every
 * call, overlapping invocations and duplicates. A failure prints its seed; `THINGSTEAD_SEED=<seed>` runs it again.
 */
import fc from 'fast-check';
import type { Notice } from '../../contracts/src/notices.ts';
import type { Ports } from '../../lambda/notifications/ports.ts';
import { type Harm, NotificationsWorld } from './notifications-world.ts';

const RUNS = process.env.THINGSTEAD_EXHAUSTIVE ? 20_000 : 1_000;
const SEED = process.env.THINGSTEAD_SEED === undefined ? {} : { seed: Number(process.env.THINGSTEAD_SEED) };
const AT = Date.UTC(2026, 10, 21, 12);
const NO_HARM: Harm = { seed: 1, crash: 0, fail: 0, refuse: 0, loseAnswer: 0 };

type Change = (ports: Omit<Ports, 'mayBegin'>) => Omit<Ports, 'mayBegin'>;

function notice(id: string, things: readonly string[], more: Partial<Notice> = {}): Notice {
  const group = { kind: 'site', name: 'farm' } as const;
  return { id, kind: 'offline', group, things: things.map((thing) => ({ thing, since: AT })), at: AT, ...more };
}

const harm = fc.record<Harm>({
  seed: fc.integer(),
  crash: fc.constantFrom(0, 0.05, 0.2),
  fail: fc.constantFrom(0, 0.05, 0.2),
  refuse: fc.constantFrom(0, 0.3, 1),
  loseAnswer: fc.constantFrom(0, 0.3),
});
const copies = fc.array(fc.constantFrom(0, 10_000, 95_000, 400_000), { minLength: 1, maxLength: 4 });
const notices = fc.array(copies, { minLength: 1, maxLength: 4 });

async function live(given: readonly (readonly number[])[], disturbance: Harm, limit: number, change?: Change) {
  const world = new NotificationsWorld(disturbance, limit, change);
  world.add('mary', [{ kind: 'site', name: 'farm' }]);
  world.add('sam', [{ kind: 'thing', name: 'farm-a' }]);
  world.add('stranger', [{ kind: 'thing', name: 'other' }]);
  for (const [n, delays] of given.entries()) {
    for (const delay of delays) world.send(notice(`notice-${n}`, ['farm-a', 'farm-b']), delay);
  }
  await world.run();
  return world;
}

/** What is wrong, in words. */
function violations(world: NotificationsWorld, count: number): readonly string[] {
  const wrong = [...world.published].filter(([, times]) => times > 1).map(([key]) => `${key} published twice`);
  for (const key of world.published.keys()) if (key.endsWith('stranger')) wrong.push(`${key} published`);
  for (let n = 0; n < count; n += 1) {
    for (const person of ['mary', 'sam']) {
      const key = `notice-${n} ${person}`;
      const inQueue = world.unconfirmed.has(key) || world.deadLetters.has(`notice-${n}`);
      const told = world.published.has(key) || world.published.has(`limit ${person}`);
      const said = world.overLimit.has(key) && (told || world.unconfirmed.has(`limit ${person}`));
      if (!world.published.has(key) && !inQueue && !said) wrong.push(`${key}: silence`);
    }
  }
  return wrong;
}

describe('a notice to a person', () => {
  it('is published once, or is in the queue of failures; never twice, never neither', async () => {
    await fc.assert(
      fc.asyncProperty(notices, harm, fc.constantFrom(1, 2, 50), async (given, disturbance, limit) => {
        expect(violations(await live(given, disturbance, limit), given.length)).toEqual([]);
      }),
      { numRuns: RUNS, ...SEED },
    );
  }, 300_000);

  it('whose function died after the claim is not forgotten when the person watches no longer', async () => {
    let publishes = 0;
    const world: NotificationsWorld = new NotificationsWorld(NO_HARM, 50, (ports) => ({
      ...ports,
      topics: {
        async publish() {
          publishes += 1;
          world.unwatchAll();
          throw new Error('the environment is gone');
        },
      },
    }));
    world.add('mary', [{ kind: 'site', name: 'farm' }]);
    world.send(notice('notice-0', ['farm-a']));

    await world.run();

    expect([publishes, ...world.unconfirmed]).toEqual([1, 'notice-0 mary']);
  });

  it('is published once and nothing else happens when nothing is wrong', async () => {
    const world = await live([[0, 0, 10_000], [0]], NO_HARM, 50);

    expect(world.published).toEqual(
      new Map(['notice-0', 'notice-1'].flatMap((id) => [`${id} mary`, `${id} sam`].map((key) => [key, 1]))),
    );
    expect([world.unconfirmed.size, world.deadLetters.size, world.overLimit.size]).toEqual([0, 0, 0]);
  });

  const planted: Readonly<Record<string, Change>> = {
    'no claim before the publish': (ports) => ({
      ...ports,
      deliveries: { ...ports.deliveries, claim: async () => ({ status: 'claimed' }) },
    }),
    'a lost answer taken for a refusal': (ports) => ({
      ...ports,
      topics: {
        async publish(topicArn, message) {
          const published = await ports.topics.publish(topicArn, message);
          return published.outcome === 'unknown' ? { outcome: 'refused', reason: published.reason } : published;
        },
      },
    }),
    'a claim that is left behind, taken for sent': (ports) => ({ ...ports, failures: { send: async () => undefined } }),
    'an old claim given up': (ports) => ({
      ...ports,
      deliveries: {
        ...ports.deliveries,
        async of(id) {
          for (const each of await ports.deliveries.of(id)) {
            if (each.status === 'claimed') await ports.deliveries.release(each, true);
          }
          return ports.deliveries.of(id);
        },
      },
    }),
  };
  it.each(Object.entries(planted))('would be lost or doubled by %s', async (_what, change) => {
    const property = fc.asyncProperty(notices, harm, async (given, disturbance) => {
      expect(violations(await live(given, disturbance, 50, change), given.length)).toEqual([]);
    });
    const { failed } = await fc.check(property, { numRuns: RUNS, ...SEED });

    expect(failed).toBe(true);
  });
});
