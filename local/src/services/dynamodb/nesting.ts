import { invalid } from '../../kernel/errors.ts';
import type { AttributeValue, Item } from './attribute-value.ts';

/** "Nested attributes: up to 32 levels deep" ("Quotas in Amazon DynamoDB"); the attribute itself is the first level. */
const MAX_LEVELS = 32;

/** @throws AwsError ValidationException for lists and maps in each other beyond 32 levels */
export function checkNesting(item: Item): void {
  for (const name in item) {
    const value = item[name];
    if (value === undefined || !reachesBeyond(value, 1)) continue;
    throw invalid(
      'Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit',
    );
  }
}

function reachesBeyond(value: AttributeValue, level: number): boolean {
  if (level > MAX_LEVELS) return true;
  const members = value.L ?? (value.M && Object.values(value.M));
  return members?.some((each) => reachesBeyond(each, level + 1)) ?? false;
}
