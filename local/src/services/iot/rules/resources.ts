import type { CreateTopicRuleDestinationResponse } from '@aws-sdk/client-iot';
import {
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalText,
} from '../../../template/property-values.ts';
import type { PropertySpec, ResourceHandler, ResourceRequest } from '../../../template/resource-handler.ts';

const TEXT = 'executed';

/** The actions that the runtime has, with the properties of AWS::IoT::TopicRule Action. */
const ACTION: PropertySpec = {
  CloudwatchAlarm: { AlarmName: TEXT, RoleArn: TEXT, StateReason: TEXT, StateValue: TEXT },
  CloudwatchLogs: { BatchMode: TEXT, LogGroupName: TEXT, RoleArn: TEXT },
  CloudwatchMetric: {
    MetricName: TEXT,
    MetricNamespace: TEXT,
    MetricTimestamp: TEXT,
    MetricUnit: TEXT,
    MetricValue: TEXT,
    RoleArn: TEXT,
  },
  DynamoDB: {
    HashKeyField: TEXT,
    HashKeyType: TEXT,
    HashKeyValue: TEXT,
    PayloadField: TEXT,
    RangeKeyField: TEXT,
    RangeKeyType: TEXT,
    RangeKeyValue: TEXT,
    RoleArn: TEXT,
    TableName: TEXT,
  },
  DynamoDBv2: { PutItem: { TableName: TEXT }, RoleArn: TEXT },
  Firehose: { BatchMode: TEXT, DeliveryStreamName: TEXT, RoleArn: TEXT, Separator: TEXT },
  Http: {
    BatchConfig: { BatchAcrossTopics: TEXT, MaxBatchOpenMs: TEXT, MaxBatchSize: TEXT, MaxBatchSizeBytes: TEXT },
    Auth: { Sigv4: { RoleArn: TEXT, ServiceName: TEXT, SigningRegion: TEXT } },
    ConfirmationUrl: TEXT,
    EnableBatching: TEXT,
    Headers: [{ Key: TEXT, Value: TEXT }],
    Url: TEXT,
  },
  Kinesis: { PartitionKey: TEXT, RoleArn: TEXT, StreamName: TEXT },
  Lambda: { FunctionArn: TEXT },
  Republish: {
    Headers: {
      ContentType: TEXT,
      CorrelationData: TEXT,
      MessageExpiry: TEXT,
      PayloadFormatIndicator: TEXT,
      ResponseTopic: TEXT,
      UserProperties: [{ Key: TEXT, Value: TEXT }],
    },
    Qos: TEXT,
    RoleArn: TEXT,
    Topic: TEXT,
  },
  S3: { BucketName: TEXT, CannedAcl: TEXT, Key: TEXT, RoleArn: TEXT },
  Sns: { MessageFormat: TEXT, RoleArn: TEXT, TargetArn: TEXT },
  Sqs: { QueueUrl: TEXT, RoleArn: TEXT, UseBase64: TEXT },
};

const BOOLEANS = new Set(['BatchAcrossTopics', 'BatchMode', 'EnableBatching', 'UseBase64']);
const NUMBERS = new Set(['MaxBatchOpenMs', 'MaxBatchSize', 'MaxBatchSizeBytes', 'Qos']);
const MAX_NAME_LENGTH = 128;

/** Rules (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-topicrule.html). */
export const topicRuleResources: readonly ResourceHandler[] = [
  {
    type: 'AWS::IoT::TopicRule',
    properties: {
      RuleName: TEXT,
      Tags: [{ Key: 'declared', Value: 'declared' }],
      TopicRulePayload: {
        Actions: [ACTION],
        AwsIotSqlVersion: TEXT,
        Description: TEXT,
        ErrorAction: ACTION,
        RuleDisabled: TEXT,
        Sql: TEXT,
      },
    },
    async create({ kernel, caller, generatedName, properties }) {
      const ruleName = optionalText(properties.RuleName) ?? ruleNameFrom(generatedName);
      const topicRulePayload = payloadOf(properties);
      await kernel.call('iot', 'CreateTopicRule', { ruleName, topicRulePayload }, caller);
      return { ref: ruleName, attributes: { Arn: kernel.arn('iot', `rule/${ruleName}`) } };
    },
    update: {
      properties: ['Tags', 'TopicRulePayload'],
      async by({ kernel, caller, properties }, before) {
        const input = { ruleName: before.ref, topicRulePayload: payloadOf(properties) };
        await kernel.call('iot', 'ReplaceTopicRule', input, caller);
        return before;
      },
    },
    delete: ({ kernel, caller }, { ref: ruleName }) => kernel.call('iot', 'DeleteTopicRule', { ruleName }, caller),
  },
  {
    type: 'AWS::IoT::TopicRuleDestination',
    properties: { HttpUrlProperties: { ConfirmationUrl: TEXT } },
    async create({ kernel, caller, properties }) {
      const { ConfirmationUrl } = optionalObject(properties.HttpUrlProperties) ?? {};
      const httpUrlConfiguration = { confirmationUrl: optionalText(ConfirmationUrl) };
      const created = await kernel.call<CreateTopicRuleDestinationResponse>(
        'iot',
        'CreateTopicRuleDestination',
        { destinationConfiguration: { httpUrlConfiguration } },
        caller,
      );
      const { arn = '', statusReason = '' } = created.topicRuleDestination ?? {};
      return { ref: arn, attributes: { Arn: arn, StatusReason: statusReason } };
    },
    update: { properties: 'all', by: 'replace' },
    delete: ({ kernel, caller }, { ref: arn }) => kernel.call('iot', 'DeleteTopicRuleDestination', { arn }, caller),
  },
];

function payloadOf({ TopicRulePayload }: ResourceRequest['properties']) {
  const given = optionalObject(TopicRulePayload) ?? {};
  return {
    sql: optionalText(given.Sql),
    description: optionalText(given.Description),
    awsIotSqlVersion: optionalText(given.AwsIotSqlVersion),
    ruleDisabled: optionalBoolean(given.RuleDisabled),
    actions: optionalList(given.Actions).map((each) => toApi(each)),
    errorAction: given.ErrorAction === undefined ? undefined : toApi(given.ErrorAction),
  };
}

/** Names of rules have no hyphens. */
function ruleNameFrom(generatedName: string): string {
  return generatedName.replaceAll(/[^a-zA-Z0-9_]/g, '_').slice(-MAX_NAME_LENGTH);
}

/** The API's members are called as CloudFormation's properties, with a small first letter. */
function toApi(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => toApi(each));
  if (typeof value !== 'object' || value === null) {
    if (BOOLEANS.has(name)) return optionalBoolean(value);
    return NUMBERS.has(name) ? optionalNumber(value) : optionalText(value);
  }
  const members = Object.entries(value).map(([key, each]) => [
    key.charAt(0).toLowerCase() + key.slice(1),
    toApi(each, key),
  ]);
  return Object.fromEntries(members);
}
