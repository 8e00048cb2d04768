/** Requests on single items, checked and parsed once: for the permission check first, then for the operation. */
import { invalid } from '../../kernel/errors.ts';
import type { Permission } from '../../kernel/service.ts';
import type { Item } from './attribute-value.ts';
import { type ParsedExpressions, validate } from './dynalite.ts';
import type { KeyAttribute } from './item-collection.ts';
import { itemBytes, MAX_ITEM_BYTES } from './item-size.ts';
import { checkNesting } from './nesting.ts';
import type { Tables } from './tables.ts';

interface CommonRequest extends ParsedExpressions {
  readonly TableName: string;
  readonly ReturnValues?: 'NONE' | 'ALL_OLD' | 'ALL_NEW' | 'UPDATED_OLD' | 'UPDATED_NEW';
  readonly ReturnValuesOnConditionCheckFailure?: 'NONE' | 'ALL_OLD';
  readonly ReturnConsumedCapacity?: 'NONE' | 'TOTAL' | 'INDEXES';
}

export interface PutRequest extends CommonRequest {
  readonly Item: Item;
}

export interface KeyRequest extends CommonRequest {
  readonly Key: Item;
}

export interface GetRequest extends KeyRequest {
  readonly ConsistentRead?: boolean;
}

type ItemOperation = 'PutItem' | 'GetItem' | 'UpdateItem' | 'DeleteItem' | 'Query' | 'Scan';

const prepared = new WeakMap<object, unknown>();

function check<Request>(tables: Tables, operation: ItemOperation, given: Readonly<Record<string, unknown>>): Request {
  return validate<Request>(operation, { ...given, TableName: tables.nameOf(given.TableName) });
}

function members(input: unknown): Readonly<Record<string, unknown>> {
  return (typeof input === 'object' && input !== null ? input : {}) as Readonly<Record<string, unknown>>;
}

/**
 * The checked form of an operation's input, kept for `take`: permissions and operation need the same.
 *
 * @throws AwsError ValidationException, SerializationException
 */
export function prepare<Request>(tables: Tables, operation: ItemOperation, input: unknown): Request {
  const given = members(input);
  const request = check<Request>(tables, operation, given);
  prepared.set(given, request);
  return request;
}

/** What `prepare` made of this input, for the operation itself. */
export function take<Request>(tables: Tables, operation: ItemOperation, input: unknown): Request {
  const given = members(input);
  // Kept by `prepare` for the same operation of the same call.
  const request = (prepared.get(given) as Request | undefined) ?? check<Request>(tables, operation, given);
  prepared.delete(given);
  return request;
}

/**
 * `parse` for the inputs of an operation that has more than one request in it: what its permissions have made of an input with
 * `prepare` is kept until the operation takes it.
 */
export function parsedOnce<Parsed>(parse: (input: unknown) => Parsed): {
  readonly prepare: (input: unknown) => Parsed;
  readonly take: (input: unknown) => Parsed;
} {
  const kept = new WeakMap<object, { readonly parsed: Parsed }>();
  return {
    prepare(input) {
      const parsed = parse(input);
      kept.set(members(input), { parsed });
      return parsed;
    },
    take(input) {
      const known = kept.get(members(input));
      kept.delete(members(input));
      return known ? known.parsed : parse(input);
    },
  };
}

/** @throws AwsError ValidationException beyond 400 KB or 32 levels */
export function checkLimits(item: Item, message = 'Item size has exceeded the maximum allowed size'): void {
  checkNesting(item);
  if (itemBytes(item) > MAX_ITEM_BYTES) throw invalid(message);
}

/** The value of the partition key, as the condition key `dynamodb:LeadingKeys` carries it. */
function leadingKey(hashKey: KeyAttribute | undefined, item: Item): readonly string[] {
  const value = hashKey === undefined ? undefined : item[hashKey.name];
  const text = value?.S ?? value?.N ?? value?.B;
  return text === undefined ? [] : [text];
}

/** The top-level attributes that the expressions of a request name. */
function namedAttributes({ _condition, _filter, _updates, _projection }: ParsedExpressions): readonly string[] {
  return [
    ...Object.keys(_condition?.pathHeads ?? {}),
    ...Object.keys(_filter?.pathHeads ?? {}),
    ...[...(_updates?.paths ?? []), ...(_projection?.paths ?? [])].map((path) => String(path[0])),
  ];
}

/**
 * The permission for an action on items, with the condition keys of fine-grained access control ("Using IAM policy
 * conditions" in the developer guide).
 */
export function itemPermission(
  tables: Tables,
  action: string,
  request: ParsedExpressions & {
    readonly TableName: string;
    readonly IndexName?: string;
    readonly ReturnValues?: string;
  },
  items: readonly Item[],
  more: Readonly<Record<string, string>> = {},
): Permission {
  const table = tables.find(request.TableName);
  const index = request.IndexName === undefined ? undefined : table?.indexes.get(request.IndexName);
  const { hashKey } = index?.items ?? table?.items ?? {};
  const attributes = new Set([...items.flatMap((item) => Object.keys(item)), ...namedAttributes(request)]);
  return {
    action: `dynamodb:${action}`,
    resource: tables.arn(request.TableName) + (request.IndexName === undefined ? '' : `/index/${request.IndexName}`),
    context: {
      'dynamodb:LeadingKeys': items.flatMap((item) => leadingKey(hashKey, item)),
      'dynamodb:Attributes': [...attributes],
      ...(request.ReturnValues !== undefined && { 'dynamodb:ReturnValues': request.ReturnValues }),
      ...more,
    },
  };
}
