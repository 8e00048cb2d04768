/** Steps one after the other, and then some at the same time. */
import { type Role, targetOfKey } from '@thingstead/contracts/grants';
import fc from 'fast-check';
import { anyStep, PEOPLE, type Step, TARGETS } from './pairing-steps.ts';

export interface Scene {
  readonly before: readonly Step[];
  /** At the same time. */
  readonly last: readonly Step[];
}

const RACING = ['pair', 'accept', 'accept', 'unshare', 'leave', 'give-site', 'release', 'decommission'] as const;

export const anySteps = (maxLength: number): fc.Arbitrary<Step[]> => fc.array(anyStep, { minLength: 1, maxLength });

export const anyScene: fc.Arbitrary<Scene> = fc.record({
  before: anySteps(12),
  last: fc.array(anyStep, { minLength: 2, maxLength: 3 }),
});

/**
 * Three people who meet at one thing or site: as far as it goes, the first owns it and invites twice, and the second accepts. What
 * then happens at the same time is about it, or about its site.
 */
export const racingScene: fc.Arbitrary<Scene> = fc
  .record({
    people: fc.shuffledSubarray([...PEOPLE], { minLength: 3, maxLength: 3 }),
    target: fc.constantFrom(...TARGETS),
    role: fc.constantFrom<Role>('viewer', 'owner'),
    length: fc.nat(4),
    last: fc.array(
      fc.record({
        kind: fc.constantFrom(...RACING),
        person: fc.nat(2),
        other: fc.nat(2),
        isHere: fc.boolean(),
        nth: fc.nat(1),
      }),
      { minLength: 2, maxLength: 3 },
    ),
  })
  .map(({ people, target, role, length, last }) => {
    const [owner = '', friend = ''] = people;
    const step = { person: owner, other: owner, target, role, ends: false, nth: 0 };
    const before: readonly Step[] = [
      { ...step, kind: targetOfKey(target).kind === 'site' ? 'give-site' : 'pair' },
      { ...step, kind: 'invite' },
      { ...step, kind: 'invite' },
      { ...step, kind: 'accept', person: friend },
    ];
    return {
      before: before.slice(0, length),
      last: last.map(({ kind, person, other, isHere, nth }) => ({
        ...{ ...step, kind, nth, target: kind !== 'give-site' && (isHere || kind === 'pair') ? target : 'site#farm' },
        ...{ person: people[person] ?? owner, other: people[other] ?? owner },
      })),
    };
  });
