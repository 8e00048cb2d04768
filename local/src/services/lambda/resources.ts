import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { AwsError } from '../../kernel/errors.ts';
import type {
  CreatedResource,
  ExistingResource,
  ResourceHandler,
  ResourceRequest,
} from '../../template/resource-handler.ts';

/** What CloudFormation creates in Lambda. */
export const lambdaResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::Lambda::Function',
    properties: {
      Architectures: 'declared',
      Code: { S3Bucket: 'executed', S3Key: 'executed', ZipFile: 'executed' },
      DeadLetterConfig: { TargetArn: 'executed' },
      Description: 'executed',
      Environment: { Variables: 'executed' },
      EphemeralStorage: { Size: 'declared' },
      FunctionName: 'executed',
      Handler: 'executed',
      LoggingConfig: {
        ApplicationLogLevel: 'executed',
        LogFormat: 'executed',
        LogGroup: 'executed',
        SystemLogLevel: 'executed',
      },
      MemorySize: 'executed',
      PackageType: 'executed',
      RecursiveLoop: 'declared',
      ReservedConcurrentExecutions: 'executed',
      Role: 'executed',
      Runtime: 'executed',
      Tags: [{ Key: 'executed', Value: 'executed' }],
      Timeout: 'executed',
      TracingConfig: { Mode: 'declared' },
    },
    create: createFunction,
    update: {
      properties: [
        ...['Architectures', 'Code', 'DeadLetterConfig', 'Description', 'Environment', 'EphemeralStorage', 'Handler'],
        ...['LoggingConfig', 'MemorySize', 'RecursiveLoop', 'ReservedConcurrentExecutions', 'Role', 'Runtime'],
        ...['Tags', 'Timeout', 'TracingConfig'],
      ],
      by: updateFunction,
    },
    delete: ({ kernel, caller }, { ref: FunctionName }) =>
      kernel.call('lambda', 'DeleteFunction', { FunctionName }, caller),
  },
  {
    type: 'AWS::Lambda::Permission',
    properties: {
      Action: 'executed',
      EventSourceToken: 'executed',
      FunctionName: 'executed',
      Principal: 'executed',
      SourceAccount: 'executed',
      SourceArn: 'executed',
    },
    async create({ kernel, caller, generatedName, properties }) {
      const StatementId = generatedName.slice(-100);
      await kernel.call('lambda', 'AddPermission', { ...properties, StatementId }, caller);
      return { ref: StatementId, attributes: { Id: StatementId } };
    },
    update: { properties: 'all', by: 'replace' },
    delete: ({ kernel, caller, properties }, { ref: StatementId }) => {
      const { FunctionName } = properties;
      return kernel.call('lambda', 'RemovePermission', { FunctionName, StatementId }, caller);
    },
  },
  {
    type: 'AWS::Lambda::EventSourceMapping',
    properties: {
      BatchSize: 'executed',
      BisectBatchOnFunctionError: 'executed',
      DestinationConfig: { OnFailure: { Destination: 'executed' } },
      Enabled: 'executed',
      EventSourceArn: 'executed',
      FilterCriteria: { Filters: [{ Pattern: 'executed' }] },
      FunctionName: 'executed',
      FunctionResponseTypes: 'executed',
      MaximumBatchingWindowInSeconds: 'executed',
      MaximumRecordAgeInSeconds: 'executed',
      MaximumRetryAttempts: 'executed',
      ParallelizationFactor: 'executed',
      ScalingConfig: { MaximumConcurrency: 'executed' },
      StartingPosition: 'executed',
      StartingPositionTimestamp: 'executed',
      Tags: 'declared',
    },
    async create({ kernel, caller, properties }) {
      const { Tags, StartingPositionTimestamp, ScalingConfig, ...given } = properties;
      const input = {
        ...withNumbers(given, MAPPING_NUMBERS),
        ...withBooleans(given, ['BisectBatchOnFunctionError', 'Enabled']),
        ...(ScalingConfig !== undefined && {
          ScalingConfig: withNumbers(Object(ScalingConfig), ['MaximumConcurrency']),
        }),
        ...(StartingPositionTimestamp !== undefined && {
          StartingPositionTimestamp: new Date(Number(StartingPositionTimestamp) * 1000),
        }),
      };
      const created = await kernel.call<{ UUID: string; EventSourceMappingArn: string }>(
        'lambda',
        'CreateEventSourceMapping',
        input,
        caller,
      );
      return {
        ref: created.UUID,
        attributes: { Id: created.UUID, EventSourceMappingArn: created.EventSourceMappingArn },
      };
    },
    update: {
      properties: ['Enabled', 'Tags'],
      async by({ kernel, caller, properties }, before) {
        const Enabled = String(properties.Enabled ?? true) === 'true';
        await kernel.call('lambda', 'UpdateEventSourceMapping', { UUID: before.ref, Enabled }, caller);
        return before;
      },
    },
    delete: ({ kernel, caller }, { ref: UUID }) => kernel.call('lambda', 'DeleteEventSourceMapping', { UUID }, caller),
  },
  {
    type: 'AWS::Lambda::EventInvokeConfig',
    properties: {
      DestinationConfig: { OnFailure: { Destination: 'executed' }, OnSuccess: { Destination: 'executed' } },
      FunctionName: 'executed',
      MaximumEventAgeInSeconds: 'executed',
      MaximumRetryAttempts: 'executed',
      Qualifier: 'executed',
    },
    async create({ kernel, caller, generatedName, properties }) {
      const input = withNumbers(properties, ['MaximumEventAgeInSeconds', 'MaximumRetryAttempts']);
      await kernel.call('lambda', 'PutFunctionEventInvokeConfig', input, caller);
      return { ref: generatedName, attributes: {} };
    },
    update: {
      properties: ['DestinationConfig', 'MaximumEventAgeInSeconds', 'MaximumRetryAttempts'],
      by: 'create',
    },
    delete: ({ kernel, caller, properties }) => {
      const { FunctionName } = properties;
      return kernel.call('lambda', 'PutFunctionEventInvokeConfig', { FunctionName }, caller);
    },
  },
];

const MAPPING_NUMBERS = [
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'MaximumRecordAgeInSeconds',
  'MaximumRetryAttempts',
  'ParallelizationFactor',
];

type Properties = Readonly<Record<string, unknown>>;

async function createFunction(request: ResourceRequest): Promise<CreatedResource> {
  const { kernel, caller } = request;
  const FunctionName = String(request.properties.FunctionName ?? request.generatedName.slice(-64));
  const input = { ...inputOf(request), FunctionName };
  const created = await kernel.call<FunctionConfiguration>('lambda', 'CreateFunction', input, caller);
  await reserveConcurrency(request, FunctionName);
  return { ref: FunctionName, attributes: { Arn: created.FunctionArn } };
}

/** The function goes on with its policy, its mappings and the events that wait for it. */
async function updateFunction(request: ResourceRequest, before: ExistingResource): Promise<CreatedResource> {
  const { kernel, caller, properties } = request;
  const FunctionName = before.ref;
  const input = { ...inputOf(request), FunctionName };
  const service = kernel.serviceCaller('cloudformation.amazonaws.com', String(before.attributes.Arn));
  await kernel.call('lambda', 'ChangeFunction', input, service);
  if (properties.ReservedConcurrentExecutions === undefined) {
    await kernel.call('lambda', 'DeleteFunctionConcurrency', { FunctionName }, caller);
  }
  await reserveConcurrency(request, FunctionName);
  return before;
}

/** A function as CreateFunction takes it, but for its name. */
function inputOf(request: ResourceRequest): Properties {
  const { Code, ReservedConcurrentExecutions: _, EphemeralStorage, Environment, Tags, ...given } = request.properties;
  const variables = Object.entries(Object(Object(Environment).Variables) as Properties);
  const tags = [Tags ?? []].flat().map((each) => [String(Object(each).Key), String(Object(each).Value)]);
  return {
    ...withNumbers(given, ['MemorySize', 'Timeout']),
    Code: codeOf(request, Object(Code)),
    ...(EphemeralStorage !== undefined && { EphemeralStorage: withNumbers(Object(EphemeralStorage), ['Size']) }),
    Environment: { Variables: Object.fromEntries(variables.map(([name, value]) => [name, String(value)])) },
    Tags: Object.fromEntries(tags),
  };
}

async function reserveConcurrency(
  { kernel, caller, properties: { ReservedConcurrentExecutions } }: ResourceRequest,
  FunctionName: string,
): Promise<void> {
  if (ReservedConcurrentExecutions !== undefined) {
    const amount = Number(ReservedConcurrentExecutions);
    await kernel.call(
      'lambda',
      'PutFunctionConcurrency',
      { FunctionName, ReservedConcurrentExecutions: amount },
      caller,
    );
  }
}

function codeOf({ assembly }: ResourceRequest, code: Properties): Properties {
  if (code.ZipFile !== undefined) return { InlineSource: String(code.ZipFile) };
  const key = String(code.S3Key);
  const folder = assembly.findAsset(key);
  if (folder === undefined) {
    throw new AwsError('ValidationError', `Code: the assembly has no asset ${key}; functions are run from assets.`);
  }
  return { LocalFolder: folder };
}

/** Templates may write numbers and booleans as text. */
function withNumbers(properties: Properties, names: readonly string[]): Properties {
  const numbers = names.filter((name) => properties[name] !== undefined);
  return { ...properties, ...Object.fromEntries(numbers.map((name) => [name, Number(properties[name])])) };
}

function withBooleans(properties: Properties, names: readonly string[]): Properties {
  const booleans = names.filter((name) => properties[name] !== undefined);
  return Object.fromEntries(booleans.map((name) => [name, String(properties[name]) === 'true']));
}
