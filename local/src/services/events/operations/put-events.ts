import { randomUUID } from 'node:crypto';
import type {
  PutEventsCommandInput,
  PutEventsRequestEntry,
  PutEventsResponse,
  PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { operation } from '../../../kernel/define.ts';
import { invalid } from '../../../kernel/errors.ts';
import type { AnyOperation } from '../../../kernel/service.ts';
import { checkBus } from '../event-bus.ts';
import type { Rules } from '../rules.ts';

const MAX_BYTES = 1_048_576;

/** PutEvents: up to ten entries and 1 MB. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
export function putEvents(rules: Rules): AnyOperation {
  return operation<PutEventsCommandInput, PutEventsResponse>({
    permissions: (input) =>
      (input.Entries ?? []).map(({ Source, DetailType, EventBusName }) => ({
        action: 'events:PutEvents',
        resource: rules.kernel.arn('events', `event-bus/${checkBus(EventBusName)}`),
        context: { 'events:source': String(Source), 'events:detail-type': String(DetailType) },
      })),
    run(input) {
      const entries = input.Entries ?? [];
      if (entries.length === 0 || entries.length > 10) {
        throw invalid(`Entries has ${entries.length} members; it has 1 to 10.`);
      }
      if (Buffer.byteLength(JSON.stringify(entries)) > MAX_BYTES) {
        throw invalid(`Total size of the entries in the request is over the limit of ${MAX_BYTES} bytes.`);
      }
      const Entries = entries.map((entry) => put(rules, entry));
      return { FailedEntryCount: Entries.filter(({ ErrorCode }) => ErrorCode !== undefined).length, Entries };
    },
  });
}

function put(rules: Rules, entry: PutEventsRequestEntry): PutEventsResultEntry {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (!entry[name]) {
      return {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
      };
    }
  }
  if (entry.Source?.startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  let detail: unknown;
  try {
    detail = JSON.parse(entry.Detail ?? '');
  } catch {
    detail = undefined;
  }
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) {
    return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  }
  const id = randomUUID();
  const time = entry.Time ?? new Date(rules.kernel.clock.now());
  rules.publish({
    version: '0',
    id,
    'detail-type': entry.DetailType ?? '',
    source: entry.Source ?? '',
    account: rules.kernel.accountId,
    time: time.toISOString().replace(/\.\d+/, ''),
    region: rules.kernel.region,
    resources: entry.Resources ?? [],
    detail,
  });
  return { EventId: id };
}
