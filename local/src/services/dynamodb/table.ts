import { randomUUID } from 'node:crypto';
import type { ProvisionedThroughput, SSESpecification } from '@aws-sdk/client-dynamodb';
import type { Item } from './attribute-value.ts';
import type { TableShape } from './dynalite.ts';
import { ItemCollection, type KeyAttribute, type Position } from './item-collection.ts';
import { itemBytes } from './item-size.ts';
import type { TableStream, UserIdentity } from './streams/table-stream.ts';

interface KeySchemaElement {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}

export interface IndexDefinition {
  readonly IndexName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly Projection: {
    readonly ProjectionType: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
    readonly NonKeyAttributes?: readonly string[];
  };
  readonly ProvisionedThroughput?: ProvisionedThroughput;
}

/** A CreateTable request once it is checked. */
export interface TableDefinition extends TableShape {
  readonly TableName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: 'S' | 'N' | 'B' }[];
  readonly BillingMode?: 'PROVISIONED' | 'PAY_PER_REQUEST';
  readonly ProvisionedThroughput?: ProvisionedThroughput;
  readonly GlobalSecondaryIndexes?: readonly IndexDefinition[];
  readonly LocalSecondaryIndexes?: readonly IndexDefinition[];
}

/** Settings that can change after the table exists. */
export interface TableSettings {
  billingMode: 'PROVISIONED' | 'PAY_PER_REQUEST';
  provisionedThroughput: ProvisionedThroughput | undefined;
  deletionProtection: boolean;
  sse: SSESpecification | undefined;
  tableClass: 'STANDARD' | 'STANDARD_INFREQUENT_ACCESS';
  pointInTimeRecovery: { enabledAt: number; periodDays: number } | undefined;
}

export interface SecondaryIndex {
  readonly definition: IndexDefinition;
  readonly kind: 'global' | 'local';
  readonly items: ItemCollection;
  /** The attributes it holds; undefined for all. */
  readonly attributes: ReadonlySet<string> | undefined;
}

function keyAttribute({ AttributeDefinitions }: TableDefinition, name: string): KeyAttribute {
  const type = AttributeDefinitions.find((each) => each.AttributeName === name)?.AttributeType;
  if (type === undefined) throw new Error(`key ${name} has no definition in a table that was accepted`);
  return { name, type };
}

function collectionFor(definition: TableDefinition, schema: readonly KeySchemaElement[]): ItemCollection {
  const [hash, range] = schema;
  if (hash === undefined) throw new Error('a key schema that was accepted is empty');
  return new ItemCollection(
    keyAttribute(definition, hash.AttributeName),
    range === undefined ? undefined : keyAttribute(definition, range.AttributeName),
  );
}

/** One table: its definition, settings, items and indexes. All changes go through `put` and `delete`. */
export class Table {
  readonly definition: TableDefinition;
  readonly arn: string;
  readonly id: string;
  readonly createdAt: number;
  readonly settings: TableSettings;
  readonly tags = new Map<string, string>();
  readonly items: ItemCollection;
  readonly indexes: ReadonlyMap<string, SecondaryIndex>;
  readonly keyNames: readonly string[];
  /** What takes the changes of items; the last one, when the stream was disabled. */
  stream: TableStream | undefined;
  #bytes = 0;

  constructor(
    definition: TableDefinition,
    arn: string,
    createdAt: number,
    settings: TableSettings,
    id: string = randomUUID(),
  ) {
    this.id = id;
    this.definition = definition;
    this.arn = arn;
    this.createdAt = createdAt;
    this.settings = settings;
    this.items = collectionFor(definition, definition.KeySchema);
    this.keyNames = definition.KeySchema.map((each) => each.AttributeName);
    this.indexes = new Map([
      ...(definition.GlobalSecondaryIndexes ?? []).map((each) => this.#index(each, 'global')),
      ...(definition.LocalSecondaryIndexes ?? []).map((each) => this.#index(each, 'local')),
    ]);
  }

  get name(): string {
    return this.definition.TableName;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Where an item or a key stands. Items and keys are checked before they come here. */
  position(key: Item): Position {
    const position = this.items.positionOf(key);
    if (position === undefined) throw new Error(`an accepted key of table ${this.name} is incomplete`);
    return position;
  }

  get(key: Item): Item | undefined {
    return this.items.get(this.position(key));
  }

  /** Stores an item and gives the one it replaces. */
  put(item: Item): Item | undefined {
    const position = this.position(item);
    const old = this.items.get(position);
    this.items.put(position, item);
    this.#bytes += itemBytes(item) - (old === undefined ? 0 : itemBytes(old));
    this.#updateIndexes(position, old, item);
    this.#tell(old, item);
    return old;
  }

  /** Removes an item and gives it. `by` is for the stream: who does it, when it is not a caller of the API. */
  delete(key: Item, by?: UserIdentity): Item | undefined {
    const position = this.position(key);
    const old = this.items.get(position);
    if (old === undefined) return undefined;
    this.items.delete(position);
    this.#bytes -= itemBytes(old);
    this.#updateIndexes(position, old, undefined);
    this.#tell(old, undefined, by);
    return old;
  }

  #tell(old: Item | undefined, item: Item | undefined, by?: UserIdentity): void {
    if (this.stream?.disabledAt === undefined) this.stream?.changed(old, item, by);
  }

  #updateIndexes(position: Position, old: Item | undefined, item: Item | undefined): void {
    if (this.indexes.size === 0) return;
    const tie = tieOf(position);
    for (const { items } of this.indexes.values()) {
      const from = old === undefined ? undefined : items.positionOf(old, tie);
      const to = item === undefined ? undefined : items.positionOf(item, tie);
      if (from !== undefined) items.delete(from);
      if (to !== undefined && item !== undefined) items.put(to, item);
    }
  }

  #index(definition: IndexDefinition, kind: SecondaryIndex['kind']): [string, SecondaryIndex] {
    const { ProjectionType, NonKeyAttributes = [] } = definition.Projection;
    const keys = [...definition.KeySchema.map((each) => each.AttributeName), ...this.keyNames];
    const attributes = ProjectionType === 'ALL' ? undefined : new Set([...keys, ...NonKeyAttributes]);
    const items = collectionFor(this.definition, definition.KeySchema);
    return [definition.IndexName, { definition, kind, items, attributes }];
  }
}

/** The primary key as one text. */
export function tieOf({ partition, sort }: Position): string {
  return `${partition}\u0000${sort}`;
}
