import type {
  CreateLogStreamCommandInput,
  DeleteLogStreamCommandInput,
  DescribeLogStreamsCommandInput,
  DescribeLogStreamsResponse,
} from '@aws-sdk/client-cloudwatch-logs';
import { operation } from '../../../kernel/define.ts';
import { AwsError, invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { type LogGroups, LogStream } from '../log-groups.ts';

export function createLogStream(groups: LogGroups): AnyOperation {
  return operation<CreateLogStreamCommandInput, Record<string, never>>({
    permissions: (input) => [groups.permission('CreateLogStream', input.logGroupName, input.logStreamName)],
    run(input) {
      const name = input.logStreamName ?? '';
      if (!/^[^:*]{1,512}$/.test(name)) {
        throw invalid(
          `logStreamName "${name}" must be 1 to 512 characters without : and *`,
          'InvalidParameterException',
        );
      }
      const { streams } = groups.get(input.logGroupName);
      if (streams.has(name)) {
        throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
      }
      streams.set(name, new LogStream(name, groups.kernel.clock.now()));
      return {};
    },
  });
}

export function deleteLogStream(groups: LogGroups): AnyOperation {
  return operation<DeleteLogStreamCommandInput, Record<string, never>>({
    permissions: (input) => [groups.permission('DeleteLogStream', input.logGroupName, input.logStreamName)],
    run(input) {
      const stream = groups.getStream(input.logGroupName, input.logStreamName);
      groups.get(input.logGroupName).streams.delete(stream.name);
      return {};
    },
  });
}

/** DescribeLogStreams, by name or by the time of the last event. */
export function describeLogStreams(groups: LogGroups): AnyOperation {
  return operation<DescribeLogStreamsCommandInput, DescribeLogStreamsResponse>({
    permissions: (input) => [groups.permission('DescribeLogStreams', input.logGroupName ?? input.logGroupIdentifier)],
    run(input) {
      const group = groups.get(input.logGroupName ?? input.logGroupIdentifier);
      const lastOf = ({ events }: LogStream) => events.at(-1)?.timestamp ?? 0;
      const sorted = [...group.streams.values()]
        .filter(({ name }) => name.startsWith(input.logStreamNamePrefix ?? ''))
        .toSorted((a, b) => (input.orderBy === 'LastEventTime' ? lastOf(a) - lastOf(b) : a.name < b.name ? -1 : 1));
      if (input.descending) sorted.reverse();
      const start = Number(input.nextToken ?? 0);
      const end = start + (input.limit ?? 50);
      return {
        logStreams: sorted.slice(start, end).map((stream) => ({
          logStreamName: stream.name,
          creationTime: stream.createdAt,
          firstEventTimestamp: stream.events[0]?.timestamp,
          lastEventTimestamp: stream.events.at(-1)?.timestamp,
          lastIngestionTime: stream.events.at(-1)?.ingestedAt,
          arn: `${group.arn}:log-stream:${stream.name}`,
          storedBytes: 0,
        })),
        ...(end < sorted.length && { nextToken: String(end) }),
      };
    },
  });
}
