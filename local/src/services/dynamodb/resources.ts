/** AWS::DynamoDB::Table, and AWS::DynamoDB::GlobalTable with one replica, which is what the CDK's TableV2 makes. */
import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '../../kernel/errors.ts';
import { tagList } from '../../template/property-values.ts';
import type {
  CreatedResource,
  ExistingResource,
  PropertySpec,
  ResourceHandler,
  ResourceRequest,
} from '../../template/resource-handler.ts';

const attributeDefinitions: PropertySpec = [{ AttributeName: 'executed', AttributeType: 'executed' }];
const keySchema: PropertySpec = [{ AttributeName: 'executed', KeyType: 'executed' }];
const projection: PropertySpec = { ProjectionType: 'executed', NonKeyAttributes: 'executed' };
const throughput: PropertySpec = { ReadCapacityUnits: 'executed', WriteCapacityUnits: 'executed' };
const index: PropertySpec = { IndexName: 'executed', KeySchema: keySchema, Projection: projection };
const insights: PropertySpec = { Enabled: 'declared', Mode: 'declared' };
const recovery: PropertySpec = { PointInTimeRecoveryEnabled: 'executed', RecoveryPeriodInDays: 'executed' };
const timeToLive: PropertySpec = { AttributeName: 'executed', Enabled: 'executed' };
const streamSpecification: PropertySpec = { StreamViewType: 'executed' };
const tags: PropertySpec = [{ Key: 'executed', Value: 'executed' }];

/** The members of both types that CreateTable takes as they are. */
interface TableProperties {
  readonly TableName?: string;
  readonly AttributeDefinitions?: readonly unknown[];
  readonly KeySchema?: readonly unknown[];
  readonly BillingMode?: string;
  readonly GlobalSecondaryIndexes?: readonly object[];
  readonly LocalSecondaryIndexes?: readonly object[];
  readonly ProvisionedThroughput?: object;
  readonly SSESpecification?: { readonly SSEEnabled?: boolean; readonly SSEType?: string };
  readonly StreamSpecification?: { readonly StreamViewType?: string };
  readonly TimeToLiveSpecification?: { readonly Enabled?: boolean; readonly AttributeName?: string };
}

/** What a table has as a property and a replica of a global table has as well. */
interface TableOptions {
  readonly DeletionProtectionEnabled?: boolean;
  readonly PointInTimeRecoverySpecification?: { readonly PointInTimeRecoveryEnabled?: boolean };
  readonly TableClass?: string;
  readonly Tags?: readonly unknown[];
}

interface Created {
  readonly TableDescription: { readonly TableArn: string; readonly TableId: string; readonly LatestStreamArn?: string };
}

/** The calls that bring settings of a table in line with its template, one by one: UpdateTable takes few together. */
async function updateTable(
  { kernel, caller }: ResourceRequest,
  before: ExistingResource,
  [was, wasOptions]: readonly [TableProperties, TableOptions],
  [now, options]: readonly [TableProperties, TableOptions],
): Promise<CreatedResource> {
  const TableName = before.ref;
  const call = <Output>(operation: string, input: object) =>
    kernel.call<Output>('dynamodb', operation, { TableName, ...input }, caller);
  await call('UpdateTable', {
    ...(now.BillingMode !== undefined && { BillingMode: now.BillingMode }),
    ...(now.ProvisionedThroughput && { ProvisionedThroughput: now.ProvisionedThroughput }),
    ...(options.TableClass !== undefined && { TableClass: options.TableClass }),
    DeletionProtectionEnabled: options.DeletionProtectionEnabled ?? false,
  });
  const [oldTtl, newTtl] = [was.TimeToLiveSpecification, now.TimeToLiveSpecification];
  if (!isDeepStrictEqual(oldTtl, newTtl)) {
    for (const [each, Enabled] of [
      [oldTtl, false],
      [newTtl, true],
    ] as const) {
      if (!each?.Enabled) continue;
      const TimeToLiveSpecification = { AttributeName: each.AttributeName, Enabled };
      await call('UpdateTimeToLive', { TimeToLiveSpecification });
    }
  }
  const PointInTimeRecoverySpecification = options.PointInTimeRecoverySpecification ?? {
    PointInTimeRecoveryEnabled: false,
  };
  await call('UpdateContinuousBackups', { PointInTimeRecoverySpecification });
  const [oldStream, newStream] = [was.StreamSpecification, now.StreamSpecification];
  let StreamArn = before.attributes.StreamArn;
  if (!isDeepStrictEqual(oldStream, newStream)) {
    if (oldStream) await call('UpdateTable', { StreamSpecification: { StreamEnabled: false } });
    const StreamSpecification = { StreamEnabled: true, StreamViewType: newStream?.StreamViewType };
    const updated = newStream ? await call<Created>('UpdateTable', { StreamSpecification }) : undefined;
    StreamArn = updated?.TableDescription.LatestStreamArn;
  }
  const ResourceArn = before.attributes.Arn;
  const TagKeys = tagList(wasOptions.Tags).map(({ Key }) => Key);
  if (TagKeys.length > 0) await kernel.call('dynamodb', 'UntagResource', { ResourceArn, TagKeys }, caller);
  if (options.Tags) await kernel.call('dynamodb', 'TagResource', { ResourceArn, Tags: options.Tags }, caller);
  const { StreamArn: _, ...attributes } = before.attributes;
  return { ref: before.ref, attributes: { ...attributes, ...(StreamArn !== undefined && { StreamArn }) } };
}

const deleteTable: ResourceHandler['delete'] = ({ kernel, caller }, { ref: TableName }) =>
  kernel.call('dynamodb', 'DeleteTable', { TableName }, caller);

async function createTable(
  { kernel, caller, generatedName }: ResourceRequest,
  properties: TableProperties,
  options: TableOptions,
  kms: string | undefined,
): Promise<CreatedResource> {
  const TableName = properties.TableName ?? generatedName;
  const sse = properties.SSESpecification;
  const stream = properties.StreamSpecification;
  const { TableDescription: table } = await kernel.call<Created>(
    'dynamodb',
    'CreateTable',
    {
      TableName,
      AttributeDefinitions: properties.AttributeDefinitions,
      KeySchema: properties.KeySchema,
      BillingMode: properties.BillingMode,
      GlobalSecondaryIndexes: properties.GlobalSecondaryIndexes,
      LocalSecondaryIndexes: properties.LocalSecondaryIndexes,
      ProvisionedThroughput: properties.ProvisionedThroughput,
      DeletionProtectionEnabled: options.DeletionProtectionEnabled,
      TableClass: options.TableClass,
      Tags: options.Tags,
      ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.StreamViewType } }),
      ...(sse && { SSESpecification: { Enabled: sse.SSEEnabled, SSEType: sse.SSEType, KMSMasterKeyId: kms } }),
    },
    caller,
  );
  if (properties.TimeToLiveSpecification?.Enabled) {
    const { Enabled, AttributeName } = properties.TimeToLiveSpecification;
    const input = { TableName, TimeToLiveSpecification: { Enabled, AttributeName } };
    await kernel.call('dynamodb', 'UpdateTimeToLive', input, caller);
  }
  if (options.PointInTimeRecoverySpecification) {
    const { PointInTimeRecoverySpecification } = options;
    await kernel.call('dynamodb', 'UpdateContinuousBackups', { TableName, PointInTimeRecoverySpecification }, caller);
  }
  const { TableArn: Arn, TableId, LatestStreamArn: StreamArn } = table;
  return { ref: TableName, attributes: { Arn, TableId, ...(StreamArn !== undefined && { StreamArn }) } };
}

const table: ResourceHandler = {
  type: 'AWS::DynamoDB::Table',
  properties: {
    AttributeDefinitions: attributeDefinitions,
    BillingMode: 'executed',
    ContributorInsightsSpecification: insights,
    DeletionProtectionEnabled: 'executed',
    GlobalSecondaryIndexes: [
      { ...index, ProvisionedThroughput: throughput, ContributorInsightsSpecification: insights },
    ],
    KeySchema: keySchema,
    LocalSecondaryIndexes: [index],
    PointInTimeRecoverySpecification: recovery,
    ProvisionedThroughput: throughput,
    SSESpecification: { KMSMasterKeyId: 'declared', SSEEnabled: 'declared', SSEType: 'declared' },
    StreamSpecification: streamSpecification,
    TableClass: 'executed',
    TableName: 'executed',
    Tags: tags,
    TimeToLiveSpecification: timeToLive,
  },
  create(request) {
    // The loader has checked the names of the properties; the operation checks their values.
    const properties = request.properties as TableProperties & TableOptions;
    const { KMSMasterKeyId } = (properties.SSESpecification ?? {}) as { readonly KMSMasterKeyId?: string };
    const GlobalSecondaryIndexes = properties.GlobalSecondaryIndexes?.map((each) => {
      const { ContributorInsightsSpecification: _, ...definition } = each as Record<string, unknown>;
      return definition;
    });
    return createTable(
      request,
      { ...properties, ...(GlobalSecondaryIndexes && { GlobalSecondaryIndexes }) },
      properties,
      KMSMasterKeyId,
    );
  },
  update: {
    properties: [
      ...['BillingMode', 'ContributorInsightsSpecification', 'DeletionProtectionEnabled', 'ProvisionedThroughput'],
      ...['PointInTimeRecoverySpecification', 'StreamSpecification', 'TableClass', 'Tags', 'TimeToLiveSpecification'],
    ],
    by(request, before) {
      const [was, now] = [before.properties, request.properties] as (TableProperties & TableOptions)[];
      return updateTable(request, before, [was ?? {}, was ?? {}], [now ?? {}, now ?? {}]);
    },
  },
  delete: deleteTable,
};

interface Replica extends TableOptions {
  readonly Region?: string;
  readonly SSESpecification?: { readonly KMSMasterKeyId?: string };
}

const globalTable: ResourceHandler = {
  type: 'AWS::DynamoDB::GlobalTable',
  properties: {
    AttributeDefinitions: attributeDefinitions,
    BillingMode: 'executed',
    GlobalSecondaryIndexes: [index],
    KeySchema: keySchema,
    LocalSecondaryIndexes: [index],
    Replicas: [
      {
        Region: 'executed',
        ContributorInsightsSpecification: insights,
        DeletionProtectionEnabled: 'executed',
        GlobalSecondaryIndexes: [{ IndexName: 'declared', ContributorInsightsSpecification: insights }],
        PointInTimeRecoverySpecification: recovery,
        SSESpecification: { KMSMasterKeyId: 'declared' },
        TableClass: 'executed',
        Tags: tags,
      },
    ],
    SSESpecification: { SSEEnabled: 'declared', SSEType: 'declared' },
    StreamSpecification: streamSpecification,
    TableName: 'executed',
    TimeToLiveSpecification: timeToLive,
  },
  create(request) {
    const { Replicas = [], ...properties } = request.properties as TableProperties & {
      readonly Replicas?: readonly Replica[];
    };
    const [replica] = Replicas;
    if (Replicas.length !== 1 || replica?.Region !== request.kernel.region) {
      throw new AwsError(
        'NotEmulated',
        `A global table has exactly one replica here, in ${request.kernel.region}; the template has ${
          Replicas.map(({ Region }) => Region).join(', ') || 'none'
        }.`,
        501,
      );
    }
    return createTable(request, properties, replica, replica.SSESpecification?.KMSMasterKeyId);
  },
  update: {
    properties: ['BillingMode', 'Replicas', 'StreamSpecification', 'TimeToLiveSpecification'],
    by(request, before) {
      const [was, now] = [before.properties, request.properties] as (TableProperties & {
        readonly Replicas?: readonly Replica[];
      })[];
      return updateTable(request, before, [was ?? {}, was?.Replicas?.[0] ?? {}], [now ?? {}, now?.Replicas?.[0] ?? {}]);
    },
  },
  delete: deleteTable,
};

export const dynamodbResources: readonly ResourceHandler[] = [table, globalTable];
