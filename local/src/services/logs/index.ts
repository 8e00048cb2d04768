import { jsonProtocol } from '../../http/protocols/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Service } from '../../kernel/service.ts';
import { LogGroups } from './log-groups.ts';
import {
  createLogGroup,
  deleteLogGroup,
  deleteRetentionPolicy,
  describeLogGroups,
  putRetentionPolicy,
} from './operations/log-groups.ts';
import { createLogStream, deleteLogStream, describeLogStreams } from './operations/log-streams.ts';
import { putLogEvents } from './operations/put-log-events.ts';
import { filterLogEvents, getLogEvents } from './operations/read-log-events.ts';

/** Amazon CloudWatch Logs; metrics in the embedded metric format go to CloudWatch. */
export function createLogsService(kernel: Kernel): Service {
  const groups = new LogGroups(kernel);
  return {
    name: 'logs',
    signingNames: ['logs'],
    protocols: [jsonProtocol({ version: '1.1', targetPrefix: 'Logs_20140328' })],
    operations: {
      CreateLogGroup: createLogGroup(groups),
      CreateLogStream: createLogStream(groups),
      DeleteLogGroup: deleteLogGroup(groups),
      DeleteLogStream: deleteLogStream(groups),
      DeleteRetentionPolicy: deleteRetentionPolicy(groups),
      DescribeLogGroups: describeLogGroups(groups),
      DescribeLogStreams: describeLogStreams(groups),
      FilterLogEvents: filterLogEvents(groups),
      GetLogEvents: getLogEvents(groups),
      PutLogEvents: putLogEvents(groups),
      PutRetentionPolicy: putRetentionPolicy(groups),
    },
    state: groups,
  };
}
