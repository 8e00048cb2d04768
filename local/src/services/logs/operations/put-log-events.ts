import type { PutLogEventsCommandInput, PutLogEventsResponse } from '@aws-sdk/client-cloudwatch-logs';
import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { recordMetrics } from '../../cloudwatch/record-metrics.ts';
import { embeddedMetrics } from '../embedded-metrics.ts';
import type { LogEvent, LogGroups } from '../log-groups.ts';

const DAY_MS = 86_400_000;
const MAX_BATCH_BYTES = 1_048_576;
const EVENT_OVERHEAD_BYTES = 26;

/** PutLogEvents: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
export function putLogEvents(groups: LogGroups): AnyOperation {
  return operation<PutLogEventsCommandInput, PutLogEventsResponse>({
    permissions: (input) => [groups.permission('PutLogEvents', input.logGroupName, input.logStreamName)],
    async run(input) {
      const { kernel } = groups;
      const group = groups.get(input.logGroupName);
      const stream = groups.getStream(input.logGroupName, input.logStreamName);
      const given = input.logEvents ?? [];
      if (given.length === 0 || given.length > 10_000) throw wrong('A batch has 1 to 10000 log events.');
      const now = kernel.clock.now();
      const events: LogEvent[] = [];
      let [bytes, before, tooNew, tooOld] = [0, 0, -1, -1];
      for (const [at, { timestamp, message }] of given.entries()) {
        if (typeof timestamp !== 'number' || typeof message !== 'string' || message === '') {
          throw wrong('A log event needs a timestamp and a message that is not empty.');
        }
        if (timestamp < before)
          throw wrong('Log events in a single PutLogEvents request must be in chronological order.');
        before = timestamp;
        bytes += Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES;
        if (timestamp > now + 2 * 3_600_000) {
          if (tooNew < 0) tooNew = at;
        } else if (timestamp < now - 14 * DAY_MS) {
          tooOld = at + 1;
        } else {
          groups.eventCount += 1;
          events.push({ id: String(groups.eventCount).padStart(56, '0'), timestamp, ingestedAt: now, message });
        }
      }
      if (bytes > MAX_BATCH_BYTES) throw wrong(`Upload too large: ${bytes} bytes exceeds limit of ${MAX_BATCH_BYTES}`);
      stream.append(events);
      const metrics = events.flatMap(({ message }) => embeddedMetrics(message));
      await recordMetrics(kernel, kernel.serviceCaller('logs.amazonaws.com', group.arn), metrics);
      return {
        nextSequenceToken: String(groups.eventCount).padStart(56, '0'),
        ...((tooNew >= 0 || tooOld >= 0) && {
          rejectedLogEventsInfo: {
            ...(tooNew >= 0 && { tooNewLogEventStartIndex: tooNew }),
            ...(tooOld >= 0 && { tooOldLogEventEndIndex: tooOld }),
          },
        }),
      };
    },
  });
}

function wrong(message: string): Error {
  return invalid(message, 'InvalidParameterException');
}
