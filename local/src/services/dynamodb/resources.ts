/** AWS::DynamoDB::Table, and AWS::DynamoDB::GlobalTable with one replica, which is what the CDK's TableV2 makes. */
import { AwsError } from '../../kernel/errors.ts';
import type {
  CreatedResource,
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
};

export const dynamodbResources: readonly ResourceHandler[] = [table, globalTable];
