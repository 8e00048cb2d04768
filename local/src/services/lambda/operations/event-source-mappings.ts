import type {
  CreateEventSourceMappingCommandInput,
  EventSourceMappingConfiguration,
  GetEventSourceMappingCommandInput,
  ListEventSourceMappingsCommandInput,
  ListEventSourceMappingsResponse,
  UpdateEventSourceMappingCommandInput,
} from '@aws-sdk/client-lambda';
import { parseArn } from '../../../kernel/arn.ts';
import { operation } from '../../../kernel/define.ts';
import type { AnyOperation, Permission } from '../../../kernel/service.ts';
import { checkDestination } from '../destinations.ts';
import { conflict, invalidValue, notEmulatedMember } from '../errors.ts';
import type { EventSourceMapping, MappingSettings, StreamSettings } from '../event-sources/event-source-mapping.ts';
import type { EventSourceMappings } from '../event-sources/event-source-mappings.ts';
import { readFilterCriteria } from '../event-sources/record-filter.ts';
import type { Functions } from '../functions.ts';

const OPERATION = 'CreateEventSourceMapping';

/** CreateEventSourceMapping for streams of Kinesis and DynamoDB and for SQS queues: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html */
export function createEventSourceMapping(functions: Functions, mappings: EventSourceMappings): AnyOperation {
  return operation<CreateEventSourceMappingCommandInput, EventSourceMappingConfiguration>({
    permissions: (input) => [
      {
        action: 'lambda:CreateEventSourceMapping',
        resource: '*',
        context: { 'lambda:FunctionArn': functions.get(input.FunctionName).arn },
      },
    ],
    async run(input) {
      const settings = read(functions, input);
      const existing = mappings.all.find(
        (each) => each.settings.fn === settings.fn && each.settings.eventSourceArn === settings.eventSourceArn,
      );
      if (existing) {
        throw conflict(
          `The event source arn ("${settings.eventSourceArn}") and function ("${settings.fn.configuration.name}") provided mapping already exists. Please update or delete the existing mapping with UUID ${existing.uuid}`,
        );
      }
      return describe(await mappings.create(settings, input.Enabled ?? true));
    },
  });
}

function read(functions: Functions, input: CreateEventSourceMappingCommandInput): MappingSettings {
  for (const member of [
    'AmazonManagedKafkaEventSourceConfig',
    'DocumentDBEventSourceConfig',
    'KMSKeyArn',
    'LoggingConfig',
    'MetricsConfig',
    'ProvisionedPollerConfig',
    'Queues',
    'SelfManagedEventSource',
    'SelfManagedKafkaEventSourceConfig',
    'SourceAccessConfigurations',
    'Topics',
    'TumblingWindowInSeconds',
  ] as const) {
    if (input[member] !== undefined) throw notEmulatedMember(OPERATION, member, 'leave it out');
  }
  const eventSourceArn = input.EventSourceArn ?? '';
  const source = parseArn(eventSourceArn)?.service;
  const isTable = source === 'dynamodb' && !/:table\/[^/]+\/stream\/[^/]+$/.test(eventSourceArn);
  if (isTable) throw invalidValue(`${eventSourceArn} is not the ARN of a stream: a table has it as LatestStreamArn.`);
  if (source !== 'dynamodb' && source !== 'kinesis' && source !== 'sqs') {
    throw notEmulatedMember(
      OPERATION,
      `the event source ${eventSourceArn}`,
      'sources are Kinesis streams, streams of DynamoDB tables and SQS queues',
    );
  }
  const windowSeconds = inRange('MaximumBatchingWindowInSeconds', input.MaximumBatchingWindowInSeconds ?? 0, 0, 300);
  const batchSize = inRange('BatchSize', input.BatchSize ?? (source === 'sqs' ? 10 : 100), 1, 10_000);
  if (source === 'sqs' && batchSize > 10 && windowSeconds < 1) {
    throw invalidValue(
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    );
  }
  const types = input.FunctionResponseTypes ?? [];
  const maximumConcurrency = input.ScalingConfig?.MaximumConcurrency;
  return {
    fn: functions.get(input.FunctionName),
    eventSourceArn,
    source,
    filter: readFilterCriteria(input.FilterCriteria),
    batchSize,
    batchingWindowMs: windowSeconds * 1000,
    reportBatchItemFailures: types.includes('ReportBatchItemFailures'),
    maximumConcurrency:
      maximumConcurrency === undefined ? undefined : inRange('MaximumConcurrency', maximumConcurrency, 2, 1000),
    stream: source === 'sqs' ? refuseStreamMembers(input) : readStream(input, source),
  };
}

function readStream(input: CreateEventSourceMappingCommandInput, source: 'dynamodb' | 'kinesis'): StreamSettings {
  const { StartingPosition, StartingPositionTimestamp, DestinationConfig } = input;
  if (StartingPosition !== 'TRIM_HORIZON' && StartingPosition !== 'LATEST' && StartingPosition !== 'AT_TIMESTAMP') {
    throw invalidValue(`StartingPosition is ${StartingPosition}; it is TRIM_HORIZON, LATEST or AT_TIMESTAMP.`);
  }
  if (source === 'dynamodb' && StartingPosition === 'AT_TIMESTAMP') {
    throw invalidValue(
      'StartingPosition AT_TIMESTAMP is for Kinesis streams; it is TRIM_HORIZON or LATEST for a table.',
    );
  }
  if (input.ScalingConfig) throw invalidValue('ScalingConfig is for SQS queues only.');
  const onFailure = DestinationConfig?.OnFailure?.Destination;
  return {
    startingPosition: StartingPosition,
    startingTimestamp: StartingPositionTimestamp,
    parallelizationFactor: inRange('ParallelizationFactor', input.ParallelizationFactor ?? 1, 1, 10),
    bisectBatchOnFunctionError: input.BisectBatchOnFunctionError ?? false,
    maximumRetryAttempts: inRange('MaximumRetryAttempts', input.MaximumRetryAttempts ?? -1, -1, 10_000),
    maximumRecordAgeSeconds: recordAge(input.MaximumRecordAgeInSeconds ?? -1),
    onFailure: onFailure ? checkDestination(onFailure, OPERATION, ['sqs', 'sns']) : undefined,
  };
}

function recordAge(seconds: number): number {
  return seconds === -1 ? -1 : inRange('MaximumRecordAgeInSeconds', seconds, 60, 604_800);
}

function refuseStreamMembers(input: CreateEventSourceMappingCommandInput): undefined {
  for (const member of [
    'BisectBatchOnFunctionError',
    'DestinationConfig',
    'MaximumRecordAgeInSeconds',
    'MaximumRetryAttempts',
    'ParallelizationFactor',
    'StartingPosition',
  ] as const) {
    if (input[member] !== undefined) throw invalidValue(`${member} is for streams only, not for SQS queues.`);
  }
}

function inRange(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalidValue(`${name} is ${value}; it is a whole number from ${min} to ${max}.`);
}

function describe({ uuid, arn, settings, ...mapping }: EventSourceMapping): EventSourceMappingConfiguration {
  const { stream } = settings;
  return {
    UUID: uuid,
    EventSourceMappingArn: arn,
    BatchSize: settings.batchSize,
    MaximumBatchingWindowInSeconds: settings.batchingWindowMs / 1000,
    EventSourceArn: settings.eventSourceArn,
    FunctionArn: settings.fn.arn,
    ...(settings.filter && { FilterCriteria: { Filters: settings.filter.patterns.map((Pattern) => ({ Pattern })) } }),
    LastModified: new Date(mapping.lastModified),
    LastProcessingResult: mapping.lastProcessingResult,
    State: mapping.enabled ? 'Enabled' : 'Disabled',
    StateTransitionReason: 'USER_INITIATED',
    FunctionResponseTypes: settings.reportBatchItemFailures ? ['ReportBatchItemFailures'] : [],
    ...(settings.maximumConcurrency !== undefined && {
      ScalingConfig: { MaximumConcurrency: settings.maximumConcurrency },
    }),
    ...(stream && {
      StartingPosition: stream.startingPosition,
      StartingPositionTimestamp: stream.startingTimestamp,
      ParallelizationFactor: stream.parallelizationFactor,
      BisectBatchOnFunctionError: stream.bisectBatchOnFunctionError,
      MaximumRetryAttempts: stream.maximumRetryAttempts,
      MaximumRecordAgeInSeconds: stream.maximumRecordAgeSeconds,
      TumblingWindowInSeconds: 0,
      DestinationConfig: { OnFailure: stream.onFailure === undefined ? {} : { Destination: stream.onFailure } },
    }),
  };
}

function permission(mappings: EventSourceMappings, action: string, uuid: string | undefined): Permission {
  const { arn, settings } = mappings.get(uuid);
  return { action: `lambda:${action}`, resource: arn, context: { 'lambda:FunctionArn': settings.fn.arn } };
}

export function getEventSourceMapping(mappings: EventSourceMappings): AnyOperation {
  return operation<GetEventSourceMappingCommandInput, EventSourceMappingConfiguration>({
    permissions: (input) => [permission(mappings, 'GetEventSourceMapping', input.UUID)],
    run: (input) => describe(mappings.get(input.UUID)),
  });
}

export function listEventSourceMappings(functions: Functions, mappings: EventSourceMappings): AnyOperation {
  return operation<ListEventSourceMappingsCommandInput, ListEventSourceMappingsResponse>({
    permissions: () => [{ action: 'lambda:ListEventSourceMappings', resource: '*' }],
    run(input) {
      const fn = input.FunctionName === undefined ? undefined : functions.get(input.FunctionName);
      const matching = mappings.all.filter(
        ({ settings }) =>
          (fn === undefined || settings.fn === fn) &&
          (input.EventSourceArn === undefined || settings.eventSourceArn === input.EventSourceArn),
      );
      return { EventSourceMappings: matching.map(describe) };
    },
  });
}

/** UpdateEventSourceMapping: enables and disables; other changes are refused by name. */
export function updateEventSourceMapping(mappings: EventSourceMappings): AnyOperation {
  return operation<UpdateEventSourceMappingCommandInput, EventSourceMappingConfiguration>({
    permissions: (input) => [permission(mappings, 'UpdateEventSourceMapping', input.UUID)],
    async run(input) {
      const other = Object.keys(input).find((name) => name !== 'UUID' && name !== 'Enabled' && name !== 'FunctionName');
      if (other !== undefined) {
        throw notEmulatedMember('UpdateEventSourceMapping', other, 'only Enabled can be changed');
      }
      const mapping = mappings.get(input.UUID);
      if (input.Enabled === true) await mappings.enable(mapping);
      if (input.Enabled === false) mappings.disable(mapping);
      return describe(mapping);
    },
  });
}

export function deleteEventSourceMapping(mappings: EventSourceMappings): AnyOperation {
  return operation<GetEventSourceMappingCommandInput, EventSourceMappingConfiguration>({
    permissions: (input) => [permission(mappings, 'DeleteEventSourceMapping', input.UUID)],
    run(input) {
      const mapping = mappings.get(input.UUID);
      mappings.delete(mapping);
      return { ...describe(mapping), State: 'Deleting' };
    },
  });
}
