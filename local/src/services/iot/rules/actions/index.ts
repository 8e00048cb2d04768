import { notEmulated } from '../../../../kernel/errors.ts';
import { invalidRequest } from '../../control/errors.ts';
import { ActionParameters } from './action-parameters.ts';
import { cloudwatchAlarmAction } from './cloudwatch-alarm.ts';
import { cloudwatchLogsAction } from './cloudwatch-logs.ts';
import { cloudwatchMetricAction } from './cloudwatch-metric.ts';
import { dynamoDbAction } from './dynamo-db.ts';
import { dynamoDbV2Action } from './dynamo-db-v2.ts';
import { firehoseAction } from './firehose.ts';
import { httpAction } from './http.ts';
import { kinesisAction } from './kinesis.ts';
import { lambdaAction } from './lambda.ts';
import { republishAction } from './republish.ts';
import type { ActionKind, CompiledAction } from './rule-action.ts';
import { s3Action } from './s3.ts';
import { snsAction } from './sns.ts';
import { sqsAction } from './sqs.ts';

/** By the names of https://docs.aws.amazon.com/iot/latest/apireference/API_Action.html. */
const KINDS: Readonly<Record<string, ActionKind>> = {
  cloudwatchAlarm: cloudwatchAlarmAction,
  cloudwatchLogs: cloudwatchLogsAction,
  cloudwatchMetric: cloudwatchMetricAction,
  dynamoDB: dynamoDbAction,
  dynamoDBv2: dynamoDbV2Action,
  firehose: firehoseAction,
  http: httpAction,
  kinesis: kinesisAction,
  lambda: lambdaAction,
  republish: republishAction,
  s3: s3Action,
  sns: snsAction,
  sqs: sqsAction,
};

/** Actions of AWS IoT that the runtime has not. */
const NOT_EMULATED = new Set([
  'elasticsearch',
  'influxDB',
  'iotAnalytics',
  'iotEvents',
  'iotSiteWise',
  'kafka',
  'location',
  'openSearch',
  'salesforce',
  'stepFunctions',
  'timestream',
]);

/** An action of a rule, ready to run. */
export interface RuleAction extends CompiledAction {
  /** `dynamoDBv2` */
  readonly name: string;
  readonly kind: ActionKind;
}

/**
 * Compiles one action. `where` is its place, for messages: `actions[0]`.
 *
 * @throws AwsError InvalidRequestException, SqlParseException, or NotEmulated naming the action
 */
export function compileAction(where: string, given: unknown, variables: ReadonlyMap<string, number>): RuleAction {
  const entries = Object.entries(Object(given)).filter(([, value]) => value !== undefined && value !== null);
  const [first, ...others] = entries;
  if (!first || others.length > 0) {
    throw invalidRequest(`${where} has to have one member that names the action, such as dynamoDBv2`);
  }
  const [name, value] = first;
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (!kind) {
    if (NOT_EMULATED.has(name)) throw notEmulated('iot', `the rule action ${name}`);
    throw invalidRequest(`${where}: AWS IoT has no action ${name}`);
  }
  const parameters = new ActionParameters(name, value, variables);
  const compiled = kind.compile(parameters);
  parameters.refuseOthers();
  return { name, kind, ...compiled };
}
