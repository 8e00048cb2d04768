/** Properties of merging and differing shadow sections, for any JSON. */
import fc from 'fast-check';
import { isObject, type Json, type JsonObject } from '../../local/src/services/iot/shadow/json.ts';
import { deltaOf, mergeSection, type Section } from '../../local/src/services/iot/shadow/section.ts';

const key = fc.oneof(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'), fc.string({ maxLength: 3 }));
const { object } = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(0, 1, true, 'x', ''),
    fc.array(tie('value') as fc.Arbitrary<Json>, { maxLength: 3 }),
    tie('object') as fc.Arbitrary<Json>,
  ),
  object: fc.dictionary(key, tie('value') as fc.Arbitrary<Json>, { maxKeys: 4, noNullPrototype: false }),
}));

const section = (state: JsonObject): Section | undefined => mergeSection(undefined, state, 1);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? {}));

it('merging a state into itself changes nothing', () => {
  fc.assert(
    fc.property(object, (state) => {
      expect(plain(mergeSection(section(state), state, 2)?.state)).toEqual(plain(state));
    }),
  );
});

it('reporting everything that is desired leaves no delta', () => {
  fc.assert(
    fc.property(object, object, (desired, before) => {
      const reported = mergeSection(section(before), desired, 2);
      expect(deltaOf(section(desired), reported)).toBeUndefined();
    }),
  );
});

it('reporting the delta leaves no delta', () => {
  fc.assert(
    fc.property(object, object, (desired, before) => {
      const [wanted, reported] = [section(desired), section(before)];
      const delta = deltaOf(wanted, reported);
      const after = delta ? mergeSection(reported, delta.state, 2) : reported;
      expect(deltaOf(wanted, after)).toBeUndefined();
    }),
  );
});

it('deleting every key leaves no section', () => {
  fc.assert(
    fc.property(object, (state) => {
      const nothing = Object.fromEntries(Object.keys(state).map((each) => [each, null]));
      expect(mergeSection(section(state), nothing, 2)).toBeUndefined();
    }),
  );
});

it('metadata has the shape of the state, with a time at each leaf', () => {
  const shapeOf = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shapeOf);
    if (!isObject(value as Json)) return { timestamp: 1 };
    return Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, shapeOf(each)]));
  };
  fc.assert(
    fc.property(object, (state) => {
      expect(plain(section(state)?.metadata)).toEqual(shapeOf(plain(state)));
    }),
  );
});
