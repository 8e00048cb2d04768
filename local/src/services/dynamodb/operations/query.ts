import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { type AttributeValue, type Item, sortable, typeOf } from '../attribute-value.ts';
import type { ItemCollection, KeyAttribute, SortRange } from '../item-collection.ts';
import { itemPermission, prepare, take } from '../item-requests.ts';
import { type Page, type PageRequest, readPage, sourceOf, startOf } from '../read-page.ts';
import type { Tables } from '../tables.ts';

type Comparison = 'EQ' | 'LT' | 'LE' | 'GT' | 'GE' | 'BETWEEN' | 'BEGINS_WITH';

interface KeyCondition {
  readonly ComparisonOperator: Comparison;
  readonly AttributeValueList: readonly AttributeValue[];
}

interface QueryRequest extends PageRequest {
  /** Made from KeyConditionExpression. */
  readonly KeyConditions: Readonly<Record<string, KeyCondition>>;
  readonly ScanIndexForward?: boolean;
}

const ALL: SortRange = { before: () => false, within: () => true };

function rangeOf({ ComparisonOperator, AttributeValueList }: KeyCondition): SortRange {
  const [from = '', to = ''] = AttributeValueList.map((value) => sortable(value));
  switch (ComparisonOperator) {
    case 'EQ':
      return { before: (sort) => sort < from, within: (sort) => sort === from };
    case 'LT':
      return { before: () => false, within: (sort) => sort < from };
    case 'LE':
      return { before: () => false, within: (sort) => sort <= from };
    case 'GT':
      return { before: (sort) => sort <= from, within: () => true };
    case 'GE':
      return { before: (sort) => sort < from, within: () => true };
    case 'BETWEEN':
      return { before: (sort) => sort < from, within: (sort) => sort <= to };
    case 'BEGINS_WITH':
      return { before: (sort) => sort < from, within: (sort) => sort.startsWith(from) };
  }
}

function checkType(condition: KeyCondition, { type }: KeyAttribute): void {
  if (condition.AttributeValueList.every((value) => typeOf(value) === type)) return;
  throw invalid('One or more parameter values were invalid: Condition parameter type does not match schema type');
}

/** The partition to read and the range of sort keys in it. */
function keyRange(
  { KeyConditions }: QueryRequest,
  { hashKey, sortKey }: ItemCollection,
): { readonly partition: string; readonly range: SortRange } {
  const hash = KeyConditions[hashKey.name];
  if (hash === undefined) throw invalid(`Query condition missed key schema element: ${hashKey.name}`);
  if (hash.ComparisonOperator !== 'EQ') throw invalid('Query key condition not supported');
  checkType(hash, hashKey);
  const other = Object.keys(KeyConditions).find((name) => name !== hashKey.name);
  if (other !== undefined && sortKey === undefined) throw invalid('Query key condition not supported');
  if (other !== undefined && other !== sortKey?.name) {
    throw invalid(`Query condition missed key schema element: ${sortKey?.name}`);
  }
  const sort = other === undefined ? undefined : KeyConditions[other];
  if (sort !== undefined && sortKey !== undefined) checkType(sort, sortKey);
  const [value] = hash.AttributeValueList;
  return {
    partition: (value === undefined ? undefined : sortable(value)) ?? '',
    range: sort === undefined ? ALL : rangeOf(sort),
  };
}

/** The partition key value asked for, as an item, for `dynamodb:LeadingKeys`. */
function leadingItem(tables: Tables, request: QueryRequest): Item {
  const table = tables.find(request.TableName);
  const index = request.IndexName === undefined ? undefined : table?.indexes.get(request.IndexName);
  const name = (index?.items ?? table?.items)?.hashKey.name;
  const value = name === undefined ? undefined : request.KeyConditions[name]?.AttributeValueList[0];
  return name === undefined || value === undefined ? {} : { [name]: value };
}

/** Query: items of one partition of a table or index, in the order of the sort key. */
export function query(tables: Tables): AnyOperation {
  return operation<unknown, Page>({
    permissions(input) {
      const request = prepare<QueryRequest>(tables, 'Query', input);
      return [itemPermission(tables, 'Query', request, [leadingItem(tables, request)])];
    },
    run(input) {
      const request = take<QueryRequest>(tables, 'Query', input);
      const table = tables.get(request.TableName);
      const source = sourceOf(request, table);
      const { partition, range } = keyRange(request, source.items);
      const { hashKey, sortKey } = source.items;
      const filtered = [hashKey, sortKey].find((key) => key !== undefined && request._filter?.pathHeads[key.name]);
      if (filtered !== undefined) {
        throw invalid(
          `Filter Expression can only contain non-primary key attributes: Primary key attribute: ${filtered.name}`,
        );
      }
      const start = startOf(request, source, table);
      if (start !== undefined && start.partition !== partition) {
        throw invalid('The provided starting key is outside query boundaries based on provided conditions');
      }
      const entries = source.items.query(partition, range, request.ScanIndexForward !== false, start);
      return readPage(tables, entries, request, source, table);
    },
  });
}
