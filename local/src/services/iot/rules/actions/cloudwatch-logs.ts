import { AwsError } from '../../../../kernel/errors.ts';
import type { SelectedPayload } from '../sql/selected-payload.ts';
import { isArray, member } from '../sql/sql-value.ts';
import { ActionFailure, type ActionKind, type Invocation } from './rule-action.ts';

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

/**
 * Writes log events to a stream that is called as the rule
 * (https://docs.aws.amazon.com/iot/latest/developerguide/cloudwatch-logs-rule-action.html).
 */
export const cloudwatchLogsAction: ActionKind = {
  failedAction: 'CloudwatchLogsAction',
  actionType: 'CloudwatchLogs',
  failure: 'Failed to put CloudWatch log events',
  compile(parameters) {
    const batchMode = parameters.boolean('batchMode');
    return {
      roleArn: parameters.roleArn(),
      resource: parameters.template('logGroupName'),
      async run(invocation, logGroupName) {
        const { payload, scope, ruleName } = invocation;
        const logEvents = batchMode
          ? batch(payload)
          : [{ timestamp: scope.message.source.receivedAt, message: payload.text }];
        const stream = { logGroupName, logStreamName: ruleName };
        await createStream(invocation, stream);
        return invocation.call('logs', 'PutLogEvents', { ...stream, logEvents });
      },
    };
  },
};

function batch({ value }: SelectedPayload): readonly LogEvent[] {
  if (!isArray(value)) throw new ActionFailure('in batch mode the payload is a list of objects');
  const events = value.map((each) => {
    const timestamp = member(each, 'timestamp');
    const message = member(each, 'message');
    if (typeof timestamp !== 'number' || typeof message !== 'string') {
      throw new ActionFailure('in batch mode each object has a timestamp in milliseconds and a message');
    }
    return { timestamp, message };
  });
  return events.sort((a, b) => a.timestamp - b.timestamp);
}

async function createStream(invocation: Invocation, stream: unknown): Promise<void> {
  try {
    await invocation.call('logs', 'CreateLogStream', stream);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'ResourceAlreadyExistsException') throw error;
  }
}
