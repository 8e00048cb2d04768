import type {
  GlobalSecondaryIndexDescription,
  KeySchemaElement,
  ProvisionedThroughputDescription,
  TableDescription,
} from '@aws-sdk/client-dynamodb';
import type { SecondaryIndex, Table } from './table.ts';

function throughput(
  given: { ReadCapacityUnits?: number | undefined; WriteCapacityUnits?: number | undefined } | undefined,
): ProvisionedThroughputDescription {
  return {
    NumberOfDecreasesToday: 0,
    ReadCapacityUnits: given?.ReadCapacityUnits ?? 0,
    WriteCapacityUnits: given?.WriteCapacityUnits ?? 0,
  };
}

function keySchema(schema: readonly { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[]): KeySchemaElement[] {
  return schema.map((each) => ({ ...each }));
}

function describeIndex({ arn }: Table, { definition, items }: SecondaryIndex): GlobalSecondaryIndexDescription {
  const { ProjectionType, NonKeyAttributes } = definition.Projection;
  return {
    IndexName: definition.IndexName,
    IndexArn: `${arn}/index/${definition.IndexName}`,
    KeySchema: keySchema(definition.KeySchema),
    Projection: { ProjectionType, ...(NonKeyAttributes && { NonKeyAttributes: [...NonKeyAttributes] }) },
    ItemCount: items.count,
    IndexSizeBytes: 0,
  };
}

/** What DescribeTable, CreateTable, UpdateTable and DeleteTable answer. */
export function describeTable(table: Table, status: 'ACTIVE' | 'DELETING' = 'ACTIVE'): TableDescription {
  const { definition, settings } = table;
  const indexes = [...table.indexes.values()];
  const global = indexes.filter(({ kind }) => kind === 'global');
  const local = indexes.filter(({ kind }) => kind === 'local');
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableId: table.id,
    TableStatus: status,
    CreationDateTime: new Date(table.createdAt),
    AttributeDefinitions: definition.AttributeDefinitions.map((each) => ({ ...each })),
    KeySchema: keySchema(definition.KeySchema),
    ItemCount: table.items.count,
    TableSizeBytes: table.bytes,
    DeletionProtectionEnabled: settings.deletionProtection,
    ProvisionedThroughput: throughput(settings.provisionedThroughput),
    TableClassSummary: { TableClass: settings.tableClass },
    ...(settings.billingMode === 'PAY_PER_REQUEST' && {
      BillingModeSummary: {
        BillingMode: 'PAY_PER_REQUEST',
        LastUpdateToPayPerRequestDateTime: new Date(table.createdAt),
      },
    }),
    ...(settings.sse?.Enabled && { SSEDescription: { Status: 'ENABLED', SSEType: settings.sse.SSEType ?? 'KMS' } }),
    ...(table.stream !== undefined && {
      LatestStreamArn: table.stream.arn,
      LatestStreamLabel: table.stream.label,
      ...(table.stream.disabledAt === undefined && {
        StreamSpecification: { StreamEnabled: true, StreamViewType: table.stream.options.viewType },
      }),
    }),
    ...(global.length > 0 && {
      GlobalSecondaryIndexes: global.map((index) => ({
        ...describeIndex(table, index),
        IndexStatus: 'ACTIVE',
        ProvisionedThroughput: throughput(index.definition.ProvisionedThroughput),
      })),
    }),
    ...(local.length > 0 && { LocalSecondaryIndexes: local.map((index) => describeIndex(table, index)) }),
  };
}
