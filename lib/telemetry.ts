import type { EnvironmentOf, TELEMETRY_ENVIRONMENT } from '@thingstead/contracts/environment';
import { TELEMETRY_RULE_NAME } from '@thingstead/contracts/names';
import { CfnOutput, Duration } from 'aws-cdk-lib';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { allow } from './allow.ts';
import { FailureQueue } from './failure-queue.ts';
import { NodeFunction } from './node-function.ts';
import type { PlatformConfig } from './platform-config.ts';
import { stateTable, telemetryStream } from './resource-names.ts';
import { TelemetryArchive } from './telemetry-archive.ts';
import { telemetrySql } from './telemetry-sql.ts';
import { deliver, putItem, putRecord, TopicRule } from './topic-rule.ts';

export interface TelemetryProps {
  readonly config: PlatformConfig;
  readonly alarms: Alarms;
  /** The folder of the functions' sources. */
  readonly lambdaFolder: string;
}

/**
 * Readings into their stores. One rule writes to all of them, without a function, since Basic Ingest reaches only the rule it
 * names; a function behind the stream keeps latest values, roll-ups and the bill guard.
 */
export class Telemetry extends Construct {
  constructor(scope: Construct, id: string, { config, alarms, lambdaFolder }: TelemetryProps) {
    super(scope, id);
    const history = stateTable(this, 'telemetryHistory');
    const stream = telemetryStream(this);
    const archive = config.archive.enabled ? new TelemetryArchive(this, 'Archive', { config, alarms }) : undefined;
    this.#consume(stream, { config, alarms, lambdaFolder });

    const errors = new FailureQueue(this, 'ErrorQueue', {
      name: 'telemetry-errors',
      alarms,
      errorImpact:
        'Messages of devices could not be written to one of the stores. Each is in this queue in full, with the action that failed and why.',
    });
    new TopicRule(this, 'Rule', {
      ruleName: TELEMETRY_RULE_NAME,
      description: 'Readings of sensors into history, stream and archive',
      sql: telemetrySql(config),
      actions: [
        putItem(history),
        putRecord(stream, `\${topic(2)}`),
        ...(archive ? [deliver(archive.deliveryStream)] : []),
      ],
      errors: errors.queue,
      alarms,
    });
    new CfnOutput(this, 'RuleName', { value: TELEMETRY_RULE_NAME }).overrideLogicalId('TelemetryRuleName');
  }

  #consume(stream: IStream, { config, alarms, lambdaFolder }: TelemetryProps): void {
    const aggregates = stateTable(this, 'telemetryAggregates');
    const quarantine = new FailureQueue(this, 'QuarantineQueue', {
      name: 'telemetry-quarantine',
      alarms,
      errorImpact:
        'A device sends messages that are no readings. They are in the history as they came, and in this queue with the reason; latest values and roll-ups leave them out.',
    });
    const { function: fn, role } = new NodeFunction(this, 'Function', {
      folder: `${lambdaFolder}/telemetry`,
      functionName: 'thingstead-telemetry',
      description: 'Latest values, minute and hour roll-ups, and messages per thing, from the telemetry stream',
      timeout: Duration.minutes(1),
      memoryMegabytes: 512,
      logRetention: config.logRetentionDays,
      environment: {
        AGGREGATES_TABLE: aggregates.tableName,
        QUARANTINE_QUEUE_URL: quarantine.queue.queueUrl,
        AGGREGATES_RETENTION_DAYS: String(config.aggregatesRetentionDays),
        EXPECTED_MESSAGES_PER_HOUR: String(config.billGuard.messagesPerThingPerHour),
        MAX_BACKFILL_DAYS: String(config.maxBackfillDays),
      } satisfies EnvironmentOf<typeof TELEMETRY_ENVIRONMENT>,
    });
    allow(role, ['dynamodb:GetItem', 'dynamodb:PutItem'], aggregates.tableArn);
    allow(role, 'sqs:SendMessage', quarantine.queue.queueArn);
    allow(
      role,
      [
        'kinesis:DescribeStream',
        'kinesis:DescribeStreamSummary',
        'kinesis:GetRecords',
        'kinesis:GetShardIterator',
        'kinesis:ListShards',
      ],
      stream.streamArn,
    );

    const failed = new FailureQueue(this, 'FailedQueue', {
      name: 'telemetry-failed',
      alarms,
      errorImpact:
        'The telemetry function gave up on a part of the stream. History and archive have those messages; latest values and roll-ups do not. The message has the position; put those records on the stream again while it still has them (24 hours).',
    });
    allow(role, 'sqs:SendMessage', failed.queue.queueArn);
    const source = new EventSourceMapping(this, 'StreamSource', {
      target: fn,
      eventSourceArn: stream.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 500,
      maxBatchingWindow: Duration.seconds(5),
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      // The default is to try until the record expires, which holds up the whole shard for a day.
      retryAttempts: 20,
      maxRecordAge: Duration.hours(6),
      onFailure: { bind: () => ({ destination: failed.queue.queueArn }) },
    });
    // Lambda checks when this is made that the role may read the stream.
    source.node.addDependency(role);

    alarms.onErrors(fn, {
      name: 'telemetry-function-errors',
      errorImpact:
        'The telemetry function fails: latest values and roll-ups fall behind. History and archive are written without it.',
    });
    alarms.onLag(fn.metric('IteratorAge'), Duration.minutes(15).toMilliseconds(), {
      name: 'telemetry-behind',
      errorImpact:
        'Latest values and roll-ups are more than 15 minutes old. The stream needs more shards, or the function cannot write.',
    });
    alarms.onOwnMetric('ThingsOverExpectedRate', 'telemetry', {
      name: 'telemetry-rate',
      errorImpact: `A thing has sent more than ${config.billGuard.messagesPerThingPerHour} messages in an hour, and every one costs. The log of the function names it; deactivate its certificate if it is broken or stolen.`,
    });
  }
}
