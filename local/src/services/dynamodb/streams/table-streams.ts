import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { KeptRecord, KeptRecords } from '../../../kernel/kept-state.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Permission } from '../../../kernel/service.ts';
import { streamSignals } from '../../stream-signals.ts';
import type { Table } from '../table.ts';
import {
  type KeptChange,
  type KeptStream,
  RETENTION_MS,
  TableStream,
  type TableStreamOptions,
  VIEW_TYPES,
  type ViewType,
} from './table-stream.ts';

/** What CreateTable and UpdateTable say of a stream. */
interface StreamSpecification {
  readonly StreamEnabled?: boolean | undefined;
  readonly StreamViewType?: string | undefined;
}

/**
 * What a StreamSpecification asks for.
 *
 * @throws AwsError ValidationException for members that do not go together
 */
export function readStreamSpecification(specification: StreamSpecification): ViewType | 'disabled' {
  const { StreamEnabled, StreamViewType } = specification;
  if (typeof StreamEnabled !== 'boolean') {
    throw invalid('One or more parameter values were invalid: StreamSpecification needs StreamEnabled');
  }
  if (!StreamEnabled) {
    if (StreamViewType === undefined) return 'disabled';
    throw invalid('One or more parameter values were invalid: StreamViewType is for a stream that is enabled');
  }
  const viewType = VIEW_TYPES.find((each) => each === StreamViewType);
  if (viewType !== undefined) return viewType;
  throw invalid(
    `One or more parameter values were invalid: StreamViewType is ${StreamViewType}; it is one of ${VIEW_TYPES.join(', ')}`,
  );
}

/** The streams of all tables, and those that were switched off less than 24 hours ago. */
export class TableStreams {
  readonly kernel: Kernel;
  readonly #streams = new Map<string, TableStream>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** In the order of their ARNs. */
  get all(): readonly TableStream[] {
    const oldest = this.kernel.clock.now() - RETENTION_MS;
    for (const [arn, { disabledAt }] of this.#streams) {
      if (disabledAt !== undefined && disabledAt < oldest) this.#streams.delete(arn);
    }
    return [...this.#streams.values()].sort((a, b) => (a.arn < b.arn ? -1 : 1));
  }

  /** @throws AwsError ResourceNotFoundException */
  get(arn: string | undefined): TableStream {
    const stream = this.all.find((each) => each.arn === arn);
    if (stream !== undefined) return stream;
    throw new AwsError('ResourceNotFoundException', `Requested resource not found: Stream: ${arn} not found`);
  }

  /** @throws AwsError ValidationException when the table has a stream */
  enable(table: Table, viewType: ViewType): void {
    if (table.stream?.disabledAt === undefined && table.stream !== undefined) {
      throw invalid(`Table already has an enabled stream: TableName: ${table.name}`);
    }
    table.stream = this.#add({
      tableName: table.name,
      tableArn: table.arn,
      keySchema: table.definition.KeySchema,
      viewType,
      createdAt: this.#freeLabel(table),
    });
  }

  *save(isOfTable: (stream: TableStream) => boolean): Generator<KeptRecord> {
    for (const stream of this.all) yield* stream.save(isOfTable(stream));
  }

  restore(records: KeptRecords, tableOf: (name: string) => Table | undefined): void {
    const changes = Map.groupBy(records.all<KeptChange>('change/'), ({ streamArn }) => streamArn);
    for (const kept of records.all<KeptStream>('stream/')) {
      const stream = this.#add(kept);
      const ofStream = (changes.get(kept.arn) ?? []).map(({ record }) => record);
      stream.restore(
        kept,
        ofStream.sort((a, b) => Number(a.sequenceNumber - b.sequenceNumber)),
      );
      const table = kept.isOfTable ? tableOf(kept.tableName) : undefined;
      if (table) table.stream = stream;
    }
  }

  /** Ends the stream of a table; what is in it stays readable for 24 hours. @throws AwsError ValidationException without one */
  disable(table: Table): void {
    const { stream } = table;
    if (stream === undefined || stream.disabledAt !== undefined) {
      throw invalid(`Table has no enabled stream to disable: TableName: ${table.name}`);
    }
    stream.disabledAt = this.kernel.clock.now();
  }

  /** The permission for an action on the stream that a request names. */
  permission(action: string, arn: string | undefined): Permission {
    return { action: `dynamodb:${action}`, resource: arn ?? '*' };
  }

  #add(options: Omit<TableStreamOptions, 'now' | 'added'>): TableStream {
    const signals = streamSignals(this.kernel);
    const { tableName, tableArn, keySchema, viewType, createdAt } = options;
    const stream: TableStream = new TableStream({
      ...{ tableName, tableArn, keySchema, viewType, createdAt },
      now: () => this.kernel.clock.now(),
      added: () => signals.added(stream.arn),
    });
    this.#streams.set(stream.arn, stream);
    return stream;
  }

  /** The time of creation; later than now if a stream of this table has the label already. */
  #freeLabel({ arn }: Table): number {
    let time = this.kernel.clock.now();
    const label = () => `${arn}/stream/${new Date(time).toISOString().slice(0, -1)}`;
    while (this.#streams.has(label())) time += 1;
    return time;
  }
}
