/** What DynamoDB asks of the values of keys beside their type ("Quotas in Amazon DynamoDB", "Partition keys and sort keys"). */
import { invalid } from '../../kernel/errors.ts';
import type { AttributeValue, Item } from './attribute-value.ts';
import type { TableShape } from './dynalite.ts';

const MAX_HASH_BYTES = 2048;
const MAX_RANGE_BYTES = 1024;

const EMPTY_IN_ITEM = 'A value specified for a secondary index key is not supported.';
const EMPTY_IN_UPDATE =
  'The update expression attempted to update a secondary index key to a value that is not supported.';

/** @throws AwsError ValidationException for a key of the table that is too long in UTF-8 */
export function checkKeySizes(key: Item, { KeySchema }: Pick<TableShape, 'KeySchema'>): void {
  for (const { AttributeName, KeyType } of KeySchema) {
    const bytes = bytesOf(key[AttributeName]);
    if (KeyType === 'HASH' && bytes > MAX_HASH_BYTES) {
      throw wrong(`Size of hashkey has exceeded the maximum size limit of${MAX_HASH_BYTES} bytes`);
    }
    if (KeyType === 'RANGE' && bytes > MAX_RANGE_BYTES) {
      throw wrong(`Aggregated size of all range keys has exceeded the size limit of ${MAX_RANGE_BYTES} bytes`);
    }
  }
}

/**
 * The keys of indexes that an item has; one that it lacks keeps it out of the index, an empty one is refused.
 *
 * @throws AwsError ValidationException
 */
export function checkIndexKeys(item: Item, table: TableShape, by: 'item' | 'update' = 'item'): void {
  for (const index of [...(table.GlobalSecondaryIndexes ?? []), ...(table.LocalSecondaryIndexes ?? [])]) {
    checkKeySizes(item, index);
    for (const { AttributeName } of index.KeySchema) {
      const value = item[AttributeName];
      if (value?.S !== '' && value?.B !== '') continue;
      throw invalid(
        `One or more parameter values are not valid. ${by === 'item' ? EMPTY_IN_ITEM : EMPTY_IN_UPDATE} ` +
          `The AttributeValue for a key attribute cannot contain an empty ${value.S === '' ? 'string' : 'binary'} value. ` +
          `IndexName: ${index.IndexName}, IndexKey: ${AttributeName}`,
      );
    }
  }
}

function bytesOf(value: AttributeValue | undefined): number {
  if (value?.S !== undefined) return Buffer.byteLength(value.S, 'utf8');
  return value?.B === undefined ? 0 : Buffer.byteLength(value.B, 'base64');
}

function wrong(detail: string): Error {
  return invalid(`One or more parameter values were invalid: ${detail}`);
}
