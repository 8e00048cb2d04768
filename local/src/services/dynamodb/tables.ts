import { AwsError, invalid } from '../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../kernel/kept-state.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Item } from './attribute-value.ts';
import { TableStreams } from './streams/table-streams.ts';
import { Table, type TableDefinition, type TableSettings } from './table.ts';
import { TimeToLive } from './time-to-live.ts';

interface KeptTable {
  readonly id: string;
  readonly definition: TableDefinition;
  readonly createdAt: number;
  readonly settings: TableSettings;
  readonly tags: ReadonlyMap<string, string>;
  readonly timeToLive: string | undefined;
}

interface KeptItem {
  readonly tableName: string;
  readonly item: Item;
}

/** The tables of the account, and what hangs on the clock for them. */
export class Tables {
  readonly kernel: Kernel;
  readonly streams: TableStreams;
  readonly #tables = new Map<string, Table>();
  readonly #timeToLive = new Map<Table, TimeToLive>();
  /** The keys of the records of items, which are asked for again and again. */
  readonly #keptKeys = new WeakMap<Table, WeakMap<Item, string>>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.streams = new TableStreams(kernel);
  }

  /** By name, in the order of their names. */
  get names(): readonly string[] {
    return [...this.#tables.keys()].sort();
  }

  /** The name in a TableName parameter, which may be an ARN of this account. */
  nameOf(nameOrArn: unknown): string {
    if (typeof nameOrArn !== 'string' || nameOrArn === '') {
      throw invalid("The parameter 'TableName' is required but was not present in the request");
    }
    const prefix = this.arn('');
    return nameOrArn.startsWith(prefix) ? nameOrArn.slice(prefix.length) : nameOrArn;
  }

  arn(name: string): string {
    return this.kernel.arn('dynamodb', `table/${name}`);
  }

  find(name: string): Table | undefined {
    return this.#tables.get(name);
  }

  /** @throws AwsError ResourceNotFoundException as the operations on items word it */
  get(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    return table;
  }

  /** @throws AwsError ResourceNotFoundException as the operations on tables word it */
  describe(name: string): Table {
    const table = this.#tables.get(name);
    if (table !== undefined) return table;
    throw new AwsError('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
  }

  /** By the ARN of a table, for the operations on tags. */
  byArn(arn: unknown): Table {
    const table = [...this.#tables.values()].find((each) => each.arn === arn);
    if (table !== undefined) return table;
    throw new AwsError('ResourceNotFoundException', `Requested resource not found: ResourcArn: ${arn} not found`);
  }

  create(definition: TableDefinition, settings: TableSettings): Table {
    const name = definition.TableName;
    if (this.#tables.has(name)) throw new AwsError('ResourceInUseException', `Table already exists: ${name}`);
    const table = new Table(definition, this.arn(name), this.kernel.clock.now(), settings);
    this.#tables.set(name, table);
    return table;
  }

  *save(): Generator<KeptRecord> {
    for (const table of this.#tables.values()) {
      const { id, definition, createdAt, settings, tags, name } = table;
      const kept: KeptTable = {
        ...{ id, definition, createdAt, settings, tags },
        timeToLive: this.timeToLiveAttribute(table),
      };
      yield [`table/${name}`, kept];
      const keys = this.#keptKeys.get(table) ?? new WeakMap<Item, string>();
      this.#keptKeys.set(table, keys);
      for (const [partition, { sort, item }] of table.items.entries()) {
        let key = keys.get(item);
        if (key === undefined) {
          // As JSON, since keys may hold what is no valid text.
          key = `item/${name}/${JSON.stringify([partition, sort])}`;
          keys.set(item, key);
        }
        // A stored item is replaced, never changed.
        yield [key, () => ({ tableName: name, item }) satisfies KeptItem, item];
      }
    }
    yield* this.streams.save((stream) => this.find(stream.options.tableName)?.stream === stream);
  }

  restore(records: KeptRecords): void {
    for (const { id, definition, createdAt, settings, tags } of records.all<KeptTable>('table/')) {
      const table = new Table(definition, this.arn(definition.TableName), createdAt, settings, id);
      for (const [name, value] of tags) table.tags.set(name, value);
      this.#tables.set(table.name, table);
    }
    for (const { tableName, item } of records.all<KeptItem>('item/')) this.#tables.get(tableName)?.put(item);
    for (const { definition, timeToLive } of records.all<KeptTable>('table/')) {
      this.setTimeToLive(this.get(definition.TableName), timeToLive);
    }
    this.streams.restore(records, (name) => this.find(name));
  }

  /** Removes a table; its stream is disabled and stays readable for 24 hours. */
  delete(table: Table): void {
    if (table.stream?.disabledAt === undefined && table.stream !== undefined) this.streams.disable(table);
    this.setTimeToLive(table, undefined);
    this.#tables.delete(table.name);
  }

  /** Stores an item and gives the one it replaces. */
  put(table: Table, item: Item): Item | undefined {
    this.#timeToLive.get(table)?.noticed(item);
    return table.put(item);
  }

  /** The attribute that holds the expiry, in epoch seconds; undefined while time to live is disabled. */
  timeToLiveAttribute(table: Table): string | undefined {
    return this.#timeToLive.get(table)?.attributeName;
  }

  setTimeToLive(table: Table, attributeName: string | undefined): void {
    this.#timeToLive.get(table)?.stop();
    this.#timeToLive.delete(table);
    if (attributeName !== undefined) {
      this.#timeToLive.set(table, new TimeToLive(table, attributeName, this.kernel.clock));
    }
  }
}
