/** DynamoDB's numbers: order and addition without binary floating point. */
import fc from 'fast-check';
import { addNumbers, sortableNumber } from '../../local/src/services/dynamodb/decimal.ts';

/** Text of `units` hundredths of a millionth, as requests carry it once they are checked: no exponent, no padding. */
function decimal(units: bigint): string {
  const text = (units < 0n ? -units : units).toString().padStart(9, '0');
  const fraction = text.slice(-8).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${text.slice(0, -8)}${fraction === '' ? '' : `.${fraction}`}`;
}

const units = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });

describe('numbers', () => {
  it('sort by value', () => {
    fc.assert(
      fc.property(units, units, (a, b) => {
        const [left, right] = [sortableNumber(decimal(a)), sortableNumber(decimal(b))];
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('add and subtract exactly', () => {
    fc.assert(
      fc.property(units, units, (a, b) => {
        expect(addNumbers(decimal(a), decimal(b))).toBe(decimal(a + b));
        expect(addNumbers(decimal(a), decimal(b), -1)).toBe(decimal(a - b));
      }),
    );
  });

  it('have at most 38 digits, also as a result', () => {
    expect(() => addNumbers('1', '0.00000000000000000000000000000000000001')).toThrow('38 significant digits');
    expect(addNumbers('9'.repeat(38), '1')).toBe(`1${'0'.repeat(38)}`);
  });
});
