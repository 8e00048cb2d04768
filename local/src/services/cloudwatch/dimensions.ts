import type { Dimension } from '@aws-sdk/client-cloudwatch';
import { invalidValue } from './errors.ts';

/** Dimensions as a record. Throws InvalidParameterValueException for more than thirty, or one without name or value. */
export function toRecord(dimensions: readonly Dimension[] | undefined): Record<string, string> {
  const list = dimensions ?? [];
  if (list.length > 30) throw invalidValue('The parameter Dimensions must have at most 30 members.');
  return Object.fromEntries(
    list.map(({ Name, Value }, at) => {
      if (!Name || !Value) throw invalidValue(`The parameter Dimensions.member.${at + 1} needs a Name and a Value.`);
      return [Name, Value];
    }),
  );
}

export function toDimensions(record: Readonly<Record<string, string>>): Dimension[] {
  return Object.entries(record).map(([Name, Value]) => ({ Name, Value }));
}
