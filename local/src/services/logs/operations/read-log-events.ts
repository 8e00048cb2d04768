import type {
  FilterLogEventsCommandInput,
  FilterLogEventsResponse,
  GetLogEventsCommandInput,
  GetLogEventsResponse,
} from '@aws-sdk/client-cloudwatch-logs';
import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { compileFilterPattern } from '../filter-pattern.ts';
import type { LogEvent, LogGroups } from '../log-groups.ts';

const MAX_EVENTS = 10_000;

/**
 * GetLogEvents: one stream, in both directions. Tokens hold the id of an event, so that they stay right while events
 * come in. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
 */
export function getLogEvents(groups: LogGroups): AnyOperation {
  return operation<GetLogEventsCommandInput, GetLogEventsResponse>({
    permissions: (input) => [
      groups.permission('GetLogEvents', input.logGroupName ?? input.logGroupIdentifier, input.logStreamName),
    ],
    run(input) {
      const stream = groups.getStream(input.logGroupName ?? input.logGroupIdentifier, input.logStreamName);
      const { startTime = 0, endTime = Number.POSITIVE_INFINITY, nextToken } = input;
      const limit = limitOf(input.limit);
      const all = inOrder(stream.events).filter(({ timestamp }) => timestamp >= startTime && timestamp < endTime);
      const [direction, id = ''] = nextToken?.split('/') ?? [input.startFromHead ? 'f' : 'b', undefined];
      let page: readonly LogEvent[];
      if (direction === 'f') page = (nextToken ? all.filter((each) => each.id > id) : all).slice(0, limit);
      else page = (nextToken ? all.filter((each) => each.id < id) : all).slice(-limit);
      return {
        events: page.map(({ timestamp, message, ingestedAt }) => ({ timestamp, message, ingestionTime: ingestedAt })),
        nextForwardToken: `f/${page.at(-1)?.id ?? id}`,
        nextBackwardToken: `b/${page[0]?.id ?? id}`,
      };
    },
  });
}

/** FilterLogEvents: all streams of a group, by time and terms. */
export function filterLogEvents(groups: LogGroups): AnyOperation {
  return operation<FilterLogEventsCommandInput, FilterLogEventsResponse>({
    permissions: (input) => [groups.permission('FilterLogEvents', input.logGroupName ?? input.logGroupIdentifier)],
    run(input) {
      const group = groups.get(input.logGroupName ?? input.logGroupIdentifier);
      const { startTime = 0, endTime = Number.POSITIVE_INFINITY, logStreamNames, logStreamNamePrefix = '' } = input;
      const matches = compileFilterPattern(input.filterPattern);
      const found = [...group.streams.values()]
        .filter(({ name }) => name.startsWith(logStreamNamePrefix) && (logStreamNames?.includes(name) ?? true))
        .flatMap((stream) => stream.events.map((event) => ({ event, stream: stream.name })))
        .filter(({ event: { timestamp } }) => timestamp >= startTime && timestamp <= endTime)
        .filter(({ event }) => matches(event.message))
        .toSorted((a, b) => byTime(a.event, b.event));
      const start = input.nextToken === undefined ? 0 : Number(input.nextToken);
      if (!Number.isInteger(start)) throw invalid('The specified nextToken is invalid.', 'InvalidParameterException');
      const end = start + limitOf(input.limit);
      return {
        events: found.slice(start, end).map(({ event, stream }) => ({
          logStreamName: stream,
          timestamp: event.timestamp,
          message: event.message,
          ingestionTime: event.ingestedAt,
          eventId: event.id,
        })),
        searchedLogStreams: [],
        ...(end < found.length && { nextToken: String(end) }),
      };
    },
  });
}

function byTime(a: LogEvent, b: LogEvent): number {
  return a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1);
}

function inOrder(events: readonly LogEvent[]): readonly LogEvent[] {
  return events.toSorted(byTime);
}

function limitOf(limit: number | undefined): number {
  if (limit === undefined) return MAX_EVENTS;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_EVENTS) return limit;
  throw invalid(`limit is ${limit}; it is a whole number from 1 to ${MAX_EVENTS}.`, 'InvalidParameterException');
}
