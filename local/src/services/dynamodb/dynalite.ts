/**
 * The parts of dynalite that the service uses: the checks of each request with DynamoDB's own messages, and the parsers
 * of its expressions. dynalite has no types and no `exports` map, so its files are required by path, once.
 */
import { createRequire } from 'node:module';
import { AwsError } from '../../kernel/errors.ts';
import type { Item } from './attribute-value.ts';
import { type DocumentPath, isNode, isPath, type Operand } from './expressions/expression.ts';
import { checkExpressionSizes, checkOperators } from './expressions/limits.ts';
import type { UpdateSection } from './expressions/update.ts';
import { checkIndexKeys, checkKeySizes } from './key-values.ts';

const require = createRequire(import.meta.url);

interface Parsed {
  /** Attributes of which a part is addressed: never allowed for keys. */
  readonly nestedPaths: Readonly<Record<string, true>>;
}

export interface ParsedCondition extends Parsed {
  readonly expression: Operand;
  readonly pathHeads: Readonly<Record<string, true>>;
}

export interface ParsedUpdate extends Parsed {
  readonly sections: readonly UpdateSection[];
  readonly paths: readonly DocumentPath[];
}

export interface ParsedProjection extends Parsed {
  readonly paths: readonly DocumentPath[];
}

/** What the parsers add to a request. */
export interface ParsedExpressions {
  readonly _condition?: ParsedCondition;
  readonly _filter?: ParsedCondition;
  readonly _updates?: ParsedUpdate;
  readonly _projection?: ParsedProjection;
}

type KeySchema = readonly { readonly AttributeName: string; readonly KeyType: string }[];
type IndexShapes = readonly { readonly IndexName: string; readonly KeySchema: KeySchema }[];

/** What the checks read of a table. */
export interface TableShape {
  readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: string }[];
  readonly KeySchema: KeySchema;
  readonly GlobalSecondaryIndexes?: IndexShapes;
  readonly LocalSecondaryIndexes?: IndexShapes;
}

type TypeSpecs = Readonly<Record<string, unknown>>;

interface RequestModule {
  readonly types: TypeSpecs;
  readonly custom?: unknown;
}

interface Validations {
  checkTypes(data: object, types: TypeSpecs): object;
  checkValidations(data: object, types: TypeSpecs, custom: unknown, store: unknown): void;
}

interface Helpers {
  validateKey(key: Item, table: TableShape): Error | null | undefined;
  validateItem(item: Item, table: TableShape): Error | null | undefined;
  validateUpdates(legacy: undefined, updates: ParsedUpdate | undefined, table: TableShape): Error | null | undefined;
  validateKeyPaths(paths: Parsed['nestedPaths'] | undefined, table: TableShape): Error | null | undefined;
}

// The shapes above are what the pinned version of dynalite has.
const validations = require('dynalite/validations') as Validations;
const helpers = require('dynalite/db') as Helpers;
/** dynalite counts characters; our own check counts bytes and is the one that decides. */
const STORE = { options: { maxItemSize: Number.POSITIVE_INFINITY } };

const CONDITION_FAILURE = {
  ReturnValuesOnConditionCheckFailure: { type: 'String', enum: ['ALL_OLD', 'NONE'] },
} as const;

function load(name: string, more: TypeSpecs = {}): RequestModule {
  const { types, custom } = require(`dynalite/validations/${name}`) as RequestModule;
  return { types: { ...types, ...more }, custom };
}

const requests = {
  BatchGetItem: load('batchGetItem'),
  BatchWriteItem: load('batchWriteItem'),
  CreateTable: load('createTable'),
  DeleteItem: load('deleteItem', CONDITION_FAILURE),
  GetItem: load('getItem'),
  ListTables: load('listTables'),
  PutItem: load('putItem', CONDITION_FAILURE),
  Query: load('query'),
  Scan: load('scan'),
  UpdateItem: load('updateItem', CONDITION_FAILURE),
} as const;

/** The parameters of the API of 2011, which expressions replaced. */
const LEGACY = [
  'AttributesToGet',
  'AttributeUpdates',
  'ConditionalOperator',
  'Expected',
  'KeyConditions',
  'QueryFilter',
  'ScanFilter',
] as const;

interface DynaliteError {
  readonly statusCode?: number;
  readonly body?: { readonly __type?: string; readonly message?: string; readonly Message?: string };
}

/** An error of dynalite as the service answers it; anything else is a defect and stays what it is. */
function translate(error: unknown): unknown {
  const { statusCode, body } = error as DynaliteError;
  if (statusCode === undefined || body?.__type === undefined) return error;
  return new AwsError(body.__type.slice(body.__type.indexOf('#') + 1), body.message ?? body.Message ?? '', statusCode);
}

function throwIfWrong(found: Error | null | undefined): void {
  if (found) throw translate(found);
}

/** Callers inside the process may pass bytes where JSON has base64 text. */
function bytesToText(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(bytesToText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, bytesToText(each)]));
}

function checkTypes(input: object, types: TypeSpecs): object {
  try {
    return validations.checkTypes({ ...input }, types);
  } catch (error) {
    if ((error as DynaliteError).statusCode === undefined) throw error;
    return validations.checkTypes(bytesToText(input) as object, types);
  }
}

/**
 * A checked copy of a request, with its expressions parsed and its numbers in one form.
 *
 * @throws AwsError ValidationException or SerializationException with DynamoDB's message; NotEmulated for a parameter
 *   of the API of 2011
 */
export function validate<Request>(operation: keyof typeof requests, input: unknown): Request & ParsedExpressions {
  const given = (typeof input === 'object' && input !== null ? input : {}) as Readonly<Record<string, unknown>>;
  const legacy = LEGACY.find((name) => given[name] !== undefined);
  if (legacy !== undefined) {
    throw new AwsError('NotEmulated', `${legacy} is not emulated: use the expression parameters instead.`, 501);
  }
  checkExpressionSizes(given);
  const { types, custom } = requests[operation];
  // checkTypes keeps only the members that the operation's types list.
  const data = translated(() => {
    const typed = checkTypes(given, types);
    validations.checkValidations(typed, types, custom, STORE);
    return typed;
  }) as Request & ParsedExpressions;
  checkOperators(data);
  return data;
}

/** Runs checks of dynalite, which throws errors of its own. */
function translated<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw translate(error);
  }
}

/** @throws AwsError ValidationException when the key is not exactly the table's, or too long */
export function checkKey(key: Item, table: TableShape): void {
  throwIfWrong(helpers.validateKey(key, table));
  checkKeySizes(key, table);
}

/**
 * @throws AwsError ValidationException when a key attribute is missing, or a key of the table or an index is of a wrong
 *   type, empty or too long
 */
export function checkItem(item: Item, table: TableShape): void {
  throwIfWrong(helpers.validateItem(item, table));
  checkKeySizes(item, table);
  checkIndexKeys(item, table);
}

/** @throws AwsError ValidationException when an update touches the key, or gives an index key a wrong type or no text */
export function checkUpdates(updates: ParsedUpdate | undefined, table: TableShape): void {
  throwIfWrong(helpers.validateUpdates(undefined, updates, table));
  for (const { path, val } of updates?.sections ?? []) {
    if (path.length > 1 || val === undefined || isPath(val) || isNode(val)) continue;
    checkIndexKeys({ [String(path[0])]: val }, table, 'update');
  }
}

/** @throws AwsError ValidationException when an expression addresses a part of a key attribute */
export function checkPaths(parsed: Parsed | undefined, table: TableShape): void {
  throwIfWrong(helpers.validateKeyPaths(parsed?.nestedPaths, table));
}
