import fc from 'fast-check';
import { NOT_WAITING, TimerQueue, type Waiting } from '../../local/src/kernel/timer-queue.ts';

type Step = { readonly add: number } | { readonly remove: number } | 'first';

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ add: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.constant('first' as const) },
);

describe('the queue of timers', () => {
  it('always has first what is due first, of equals what was set first, whatever is taken out in between', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 200, size: 'max' }), (steps) => {
        // GIVEN a queue beside a plain list that is searched
        const queue = new TimerQueue<Waiting>();
        const list: Waiting[] = [];
        const earliest = () => [...list].sort((a, b) => a.dueAt - b.dueAt || a.order - b.order)[0];

        // WHEN
        for (const [order, each] of steps.entries()) {
          if (each === 'first') {
            const first = queue.first;
            if (first) queue.remove(first);
            list.splice(first ? list.indexOf(first) : 0, first ? 1 : 0);
          } else if ('add' in each) {
            const item = { dueAt: each.add, order, position: NOT_WAITING };
            queue.add(item);
            list.push(item);
          } else {
            const [gone] = list.splice(each.remove % Math.max(1, list.length), 1);
            if (gone) expect([queue.remove(gone), queue.remove(gone)]).toEqual([true, false]);
          }

          // THEN
          expect(queue.first).toBe(earliest());
        }
      }),
    );
  });
});
