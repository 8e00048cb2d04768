/** The store under DynamoDB against a plain model: whatever is written, queries and scans find exactly that, in order. */
import fc from 'fast-check';
import type { Item } from '../../local/src/services/dynamodb/attribute-value.ts';
import { ItemCollection, type Position } from '../../local/src/services/dynamodb/item-collection.ts';

const everything = { before: () => false, within: () => true };

function item(pk: string, sk: number): Item {
  return { pk: { S: pk }, sk: { N: String(sk) } };
}

const write = fc.record({
  kind: fc.constantFrom('put', 'put', 'delete'),
  pk: fc.constantFrom('a', 'b', 'ü', '\u{1f600}', '\uffff'),
  sk: fc.integer({ min: -5, max: 5 }),
});

function positionIn(collection: ItemCollection, pk: string, sk: number): Position {
  const position = collection.positionOf(item(pk, sk));
  if (position === undefined) throw new Error('the key is complete');
  return position;
}

/** Reads page by page, starting each page after the last item of the one before. */
function inPages(
  collection: ItemCollection,
  size: number,
  page: (start: Position | undefined) => Iterable<{ readonly item: Item }>,
): Item[] {
  const found: Item[] = [];
  let start: Position | undefined;
  for (;;) {
    const next = [...page(start)].slice(0, size).map((entry) => entry.item);
    found.push(...next);
    const last = next.at(-1);
    if (last === undefined) return found;
    start = collection.positionOf(last);
  }
}

describe('an item collection', () => {
  it('holds what was put and not deleted, sorted, whole and in pages', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (writes, pageSize) => {
        // GIVEN
        const collection = new ItemCollection({ name: 'pk', type: 'S' }, { name: 'sk', type: 'N' });
        const model = new Map<string, { pk: string; sk: number }>();

        // WHEN
        for (const { kind, pk, sk } of writes) {
          const position = positionIn(collection, pk, sk);
          if (kind === 'put') collection.put(position, item(pk, sk));
          else collection.delete(position);
          if (kind === 'put') model.set(`${pk} ${sk}`, { pk, sk });
          else model.delete(`${pk} ${sk}`);
        }

        // THEN
        expect(collection.count).toBe(model.size);
        for (const pk of new Set(writes.map((each) => each.pk))) {
          const expected = [...model.values()].filter((each) => each.pk === pk).map(({ sk }) => sk);
          const { partition } = positionIn(collection, pk, 0);
          const query = (forward: boolean) =>
            inPages(collection, pageSize, (start) => collection.query(partition, everything, forward, start));
          expect(query(true)).toEqual(expected.toSorted((a, b) => a - b).map((sk) => item(pk, sk)));
          expect(query(false)).toEqual(expected.toSorted((a, b) => b - a).map((sk) => item(pk, sk)));
        }
        const scanned = inPages(collection, pageSize, (start) => collection.scan(0, 1, start));
        expect(scanned.map(({ pk, sk }) => `${pk?.S} ${sk?.N}`).toSorted()).toEqual([...model.keys()].toSorted());
      }),
    );
  });
});
