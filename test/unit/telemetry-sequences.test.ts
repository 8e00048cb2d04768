/** How an hour item remembers the numbers of the messages that it has counted. */
import fc from 'fast-check';
import { earliest, isAfter } from '../../lambda/telemetry/sequence-number.ts';
import { decodeSequences, encodeSequences, parseNumberedId } from '../../lambda/telemetry/sequences.ts';

describe('numbers of messages', () => {
  it('come back as they were, whatever they are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.maxSafeNat()), (numbers) => {
        expect(decodeSequences(encodeSequences(numbers))).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
  });

  it('need little room when they come at regular steps, as those of one sensor do', () => {
    const everyThird = Array.from({ length: 3600 }, (_, n) => 5 + 3 * n);

    expect(encodeSequences(everyThird)).toBe('5,3x3599');
    expect(encodeSequences([...everyThird, 10_900, 10_901])).toBe('5,3x3599,98,1');
  });

  it.each([
    ['boot7-12', { session: 'boot7', sequence: 12 }],
    ['a-b-0', { session: 'a-b', sequence: 0 }],
    ['boot7-012', undefined],
    ['boot7-1e3', undefined],
    ['boot7--1', { session: 'boot7-', sequence: 1 }],
    ['-5', undefined],
    ['plain', undefined],
    [`boot-${'9'.repeat(16)}`, undefined],
  ])('the id %s is read as %j', (id, expected) => {
    expect(parseNumberedId(id)).toEqual(expected);
  });

  it('are read from an id only when the id can be written from them again', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const id = `${a}-${b}`;
        const numbered = parseNumberedId(id);
        expect(numbered ? `${numbered.session}-${numbered.sequence}` : id).toBe(id);
      }),
    );
  });
});

describe('sequence numbers of Kinesis', () => {
  it('are compared as numbers, beyond what a double holds', () => {
    const number = fc.bigInt({ min: 0n, max: 2n ** 128n });
    fc.assert(fc.property(number, number, (a, b) => expect(isAfter(`${a}`, `${b}`)).toBe(a > b)));
  });

  it('have an earliest one', () => {
    expect(earliest(['1000', '999', '1001'])).toBe('999');
    expect(earliest([])).toBeUndefined();
  });
});
