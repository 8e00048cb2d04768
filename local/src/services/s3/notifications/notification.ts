import type { S3KeyFilter } from '@aws-sdk/client-s3';
import { AwsError } from '../../../kernel/errors.ts';

/** One rule of a bucket's notification configuration: which events of which keys go where. Plain data: it is kept. */
export interface Notification {
  readonly kind: 'queue' | 'topic' | 'function';
  readonly id: string;
  readonly arn: string;
  /** With their family as a whole, or one by one: `s3:ObjectCreated:*`, `s3:ObjectCreated:Put`. */
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

/** What happens to objects here. `Post` is taken with its family, though uploads by form are not emulated. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  's3:ObjectCreated': ['Put', 'Post', 'Copy', 'CompleteMultipartUpload'],
  's3:ObjectRemoved': ['Delete', 'DeleteMarkerCreated'],
  's3:ObjectTagging': ['Put', 'Delete'],
  's3:LifecycleExpiration': ['Delete', 'DeleteMarkerCreated'],
};
const EVENTS: ReadonlySet<string> = new Set(
  Object.entries(FAMILIES).flatMap(([family, names]) => ['*', ...names].map((name) => `${family}:${name}`)),
);

/** Events that S3 has and the runtime has not. */
const NOT_EMULATED =
  /^s3:(ReducedRedundancyLostObject|(ObjectRestore|Replication):.+|LifecycleTransition|IntelligentTiering|ObjectAcl:Put)$/;

const MAX_NOTIFICATIONS = 100;
const MAX_FILTER_BYTES = 1024;

/** The error of a configuration that S3 does not take. */
export function invalidNotification(message: string, details: Readonly<Record<string, unknown>> = {}): AwsError {
  return new AwsError('InvalidArgument', message, 400, details);
}

function covers(pattern: string, event: string): boolean {
  return pattern === event || (pattern.endsWith('*') && event.startsWith(pattern.slice(0, -1)));
}

/** @throws AwsError InvalidArgument for what is no event of S3, NotEmulated for one that does not happen here */
export function checkEvents(events: readonly string[] | undefined): readonly string[] {
  if (events === undefined || events.length === 0) {
    throw new AwsError('MalformedXML', 'A notification needs at least one Event, for instance s3:ObjectCreated:*');
  }
  for (const event of events) {
    if (EVENTS.has(event)) continue;
    if (NOT_EMULATED.test(event)) {
      throw new AwsError('NotEmulated', `The local runtime does not emulate notifications of ${event}.`, 501);
    }
    throw invalidNotification(`The event '${event}' is not supported for notifications`, {
      ArgumentName: 'Event',
      ArgumentValue: event,
    });
  }
  return events;
}

/** @throws AwsError InvalidArgument for rules that are not at most one prefix and one suffix */
export function readKeyFilter({ FilterRules = [] }: S3KeyFilter = {}): Pick<Notification, 'prefix' | 'suffix'> {
  const values = { prefix: '', suffix: '' };
  const seen = new Set<string>();
  for (const { Name, Value = '' } of FilterRules) {
    const name = String(Name ?? '').toLowerCase();
    if (name !== 'prefix' && name !== 'suffix') {
      throw invalidNotification('filter rule name must be either prefix or suffix', {
        ArgumentName: 'FilterRule.Name',
        ArgumentValue: Name,
      });
    }
    if (seen.has(name)) throw invalidNotification(`Cannot specify more than one ${name} rule in a filter.`);
    if (Buffer.byteLength(Value) > MAX_FILTER_BYTES) {
      throw invalidNotification(`Size of filter rule value cannot exceed ${MAX_FILTER_BYTES} bytes in UTF-8`);
    }
    seen.add(name);
    values[name] = Value;
  }
  return values;
}

function overlap(a: Notification, b: Notification): boolean {
  return (
    a.events.some((one) => b.events.some((other) => covers(one, other) || covers(other, one))) &&
    (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)) &&
    (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix))
  );
}

/**
 * Two rules may not match the same event of the same key.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
 *
 * @throws AwsError InvalidArgument
 */
export function checkOverlaps(notifications: readonly Notification[]): void {
  if (notifications.length > MAX_NOTIFICATIONS) {
    throw invalidNotification(`A bucket can have ${MAX_NOTIFICATIONS} event notification configurations.`);
  }
  if (new Set(notifications.map(({ id }) => id)).size < notifications.length) {
    throw invalidNotification('Same ID used for multiple configurations. IDs must be unique.');
  }
  for (const [index, one] of notifications.entries()) {
    const other = notifications.slice(index + 1).find((each) => overlap(one, each));
    if (other === undefined) continue;
    const hasFilter = [one, other].some(({ prefix, suffix }) => prefix !== '' || suffix !== '');
    throw invalidNotification(
      hasFilter
        ? 'Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.'
        : 'Configurations overlap. Configurations on the same bucket cannot share a common event type.',
      { ArgumentName: 'Event', ArgumentValue: [...one.events, ...other.events].join(', ') },
    );
  }
}

/** Whether a rule is for this event of this key. */
export function isFor(notification: Notification, event: string, key: string): boolean {
  const { events, prefix, suffix } = notification;
  return events.some((each) => covers(each, event)) && key.startsWith(prefix) && key.endsWith(suffix);
}
